"""A run as Airflow's database has it -> the events that the ledger keeps of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.ledger.events import (
    CheckEvent,
    CheckStatus,
    Event,
    RunEvent,
    TaskEvent,
    Via,
    VolumeEvent,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_dataops.core.runs import DagInfo, RunRow, RunRows, TryRow

_CHANGED = ("inserted", "updated", "deleted", "written")
_AIRFLOW = "airflow"
"""The owner of what has none."""


def run_event(run: RunRow, about: DagInfo, at: datetime, via: Via) -> RunEvent:
    """Return the event of a run."""
    return RunEvent(
        dag_id=run.dag_id,
        run_id=run.run_id,
        observed_at=at,
        run_type=run.run_type,
        state=run.state,
        logical_date=run.logical_date,
        data_interval_end=run.data_interval_end,
        queued_at=run.queued_at,
        started_at=run.start_date,
        ended_at=run.end_date,
        owner=_named(about.owner),
        tags=about.tags,
        via=via,
    )


def events_of(rows: RunRows, at: datetime, via: Via = Via.LISTENER) -> list[Event]:
    """Return the events of a run, of each try of its tasks, and of what its tasks returned.

    Args:
        at: when the rows were read.
    """
    run, about = rows.run, rows.about
    returned: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for each in rows.returned:
        returned[each.task_id, each.map_index].append(each.value)
    found: list[Event] = [run_event(run, about, at, via)]
    instances: defaultdict[tuple[str, int], list[TryRow]] = defaultdict(list)
    for row in rows.tries:
        instances[row.task_id, row.map_index].append(row)
    for place, tries in instances.items():
        numbers = {row.try_number for row in tries if row.archived}
        for row in tries:
            of_task = () if row.archived else results(returned[place])
            found.append(_task_event(run, row, numbers, of_task, about, at, via))
            found += _result_events(run, row, of_task)
    return found


def results(values: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the results of nodes and loads that a task told, each once."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in values:
        for result in _opened(each):
            name = result.get("node") or result.get("target")
            if isinstance(name, str):
                found.setdefault(name, result)
    return tuple(found.values())


def _opened(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what is told of single nodes, however an operator wraps it."""
    if isinstance(value, dict):
        if "node" in value or "target" in value:
            yield value
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                yield from _opened(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _opened(inner)


def _task_event(
    run: RunRow,
    row: TryRow,
    archived: set[int],
    returned: Sequence[Mapping[str, Any]],
    about: DagInfo,
    at: datetime,
    via: Via,
) -> TaskEvent:
    # A cleared task instance that the scheduler skips or fails without running it keeps the
    # number and the dates of the try before, which is in the history: it is the next one.
    stale = not row.archived and row.try_number in archived
    ran = row.start_date is not None and not stale
    return TaskEvent(
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        try_number=row.try_number + 1 if stale else row.try_number,
        observed_at=at,
        state=row.state,
        operator=row.operator,
        owner=_named(about.owners.get(row.task_id)) or _named(about.owner),
        queued_at=None if stale else row.queued_at,
        started_at=row.start_date if ran else None,
        ended_at=row.updated_at if stale else row.end_date,
        rows=_sum(map(_rows, returned)),
        bytes=_sum(each.get("bytes") for each in returned),
        via=via,
    )


def _result_events(
    run: RunRow, row: TryRow, returned: Iterable[Mapping[str, Any]]
) -> Iterator[Event]:
    """Yield the verdicts and the volumes that a task told, as of its end."""
    moment = row.end_date
    if moment is None:
        return
    of_task = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": row.task_id}
    for each in returned:
        name = str(each.get("node") or each.get("target"))
        if each.get("status") in tuple(CheckStatus):
            yield CheckEvent(
                subject=name,
                name=_check_name(each),
                observed_at=moment,
                status=CheckStatus(each["status"]),
                value=_number(each.get("failures", each.get("age_minutes"))),
                message=each.get("message") or None,
                **of_task,
            )
        rows = _rows(each)
        if rows is not None:
            yield VolumeEvent(
                relation=str(each.get("relation") or name),
                measure="written",
                observed_at=moment,
                rows=rows,
                bytes=_whole(each.get("bytes")),
                **of_task,
            )


def _check_name(result: Mapping[str, Any]) -> str:
    """Tell what was checked; a build is told of where it failed among others."""
    kind = str(result.get("node")).partition(".")[0]
    if kind == "source" or "max_loaded_at" in result or "age_minutes" in result:
        return "freshness"
    return "build" if kind in ("model", "seed", "snapshot") else "test"


def _rows(result: Mapping[str, Any]) -> int | None:
    """Return the rows that were written: of a node, or changed by a load."""
    if "target" in result:
        return _sum(result.get(name) for name in _CHANGED)
    return _whole(result.get("rows"))


def _sum(values: Iterable[Any]) -> int | None:
    known = [whole for value in values if (whole := _whole(value)) is not None]
    return sum(known) if known else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _named(owner: str | None) -> str | None:
    return owner if owner and owner != _AIRFLOW else None
