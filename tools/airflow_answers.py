"""What Airflow's REST API answers, as structs: runs, task instances, import errors, log lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

FINISHED_RUN = frozenset({"success", "failed"})

Json = Any


@dataclass(frozen=True, kw_only=True)
class DagRun:
    """One run of a DAG. Times are None until it has started or ended."""

    dag_id: str
    run_id: str
    state: str
    start: datetime | None
    end: datetime | None

    @property
    def finished(self) -> bool:
        """Whether the state is final."""
        return self.state in FINISHED_RUN


@dataclass(frozen=True, kw_only=True)
class TaskInstance:
    """One task of one run. `state` is None until it is scheduled; `duration` is in seconds."""

    id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int
    start: datetime | None
    duration: float | None
    pid: int | None


@dataclass(frozen=True, kw_only=True)
class ImportFailure:
    """A DAG file that did not load."""

    filename: str
    stack_trace: str


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def dag_run(fields: Json) -> DagRun:
    """A run, from Airflow's `DAGRunResponse`."""
    return DagRun(
        dag_id=fields["dag_id"],
        run_id=fields["dag_run_id"],
        state=fields["state"],
        start=_time(fields["start_date"]),
        end=_time(fields["end_date"]),
    )


def task_instance(fields: Json) -> TaskInstance:
    """A task instance, from Airflow's `TaskInstanceResponse`."""
    return TaskInstance(
        id=fields["id"],
        dag_id=fields["dag_id"],
        run_id=fields["dag_run_id"],
        task_id=fields["task_id"],
        map_index=fields["map_index"],
        state=fields["state"],
        try_number=fields["try_number"],
        start=_time(fields["start_date"]),
        duration=fields["duration"],
        pid=fields["pid"],
    )


def log_lines(entry: Json) -> list[str]:
    """The text of one structured log message, with the frames of its errors."""
    if isinstance(entry, str):
        return entry.splitlines()
    lines = str(entry.get("event", "")).splitlines()
    for error in entry.get("error_detail") or ():
        lines.extend(
            f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}'
            for frame in error.get("frames", ())
        )
        lines.append(f"{error.get('exc_type')}: {error.get('exc_value')}")
    return lines
