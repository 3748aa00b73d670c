"""Did the runs of a DAG end in time? Late, failed and still running are told apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.health.compliance import Outcome
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.health.sla_config import PipelineSla


class Ended(StrEnum):
    """How a run stands to its SLA."""

    MET = "met"
    LATE = "late"
    FAILED = "failed"
    OPEN = "open"
    """Under way, and still in time."""


class TimedRun(Struct, frozen=True):
    """A DAG run and how long it took: minutes until now while it runs, None before it began."""

    run_id: str
    state: str
    due_at: datetime
    minutes: float | None
    run_type: str = "scheduled"


def ended(run: TimedRun, target: float) -> Ended:
    """Judge a run by its minutes. One that ran too long is late, whatever became of it."""
    if run.minutes is not None and run.minutes > target:
        return Ended.LATE
    if run.state == "failed":
        return Ended.FAILED
    return Ended.MET if run.state == "success" else Ended.OPEN


def judge_completion(sla: PipelineSla, runs: Sequence[TimedRun] | str, now: datetime) -> Verdict:
    """Judge the runs of the last `lookback_hours`; `SKIP` where none is decided yet.

    Args:
        runs: oldest first, or why they are not known; those of other types do not count.
    """
    limits = sla.completion_time_sla
    target = limits.target_duration_minutes
    if isinstance(runs, str):
        return _verdict(sla, Status.ERROR, runs)
    since = now - timedelta(hours=limits.lookback_hours)
    recent = [run for run in runs if run.due_at >= since and run.run_type in sla.run_types]
    if not recent:
        message = f"No run was due in the last {limits.lookback_hours:g} h."
        return _verdict(sla, Status.SKIP, message)
    by = {kind: [run for run in recent if ended(run, target) is kind] for kind in Ended}
    longest = max((run.minutes for run in recent if run.minutes is not None), default=None)
    missed = by[Ended.LATE] + by[Ended.FAILED]
    counts = ", ".join(f"{len(found)} {kind}" for kind, found in by.items() if found)
    took = "" if longest is None else f"; the longest took {longest:.1f} min"
    decided = Status.PASS if by[Ended.MET] else Status.SKIP
    return _verdict(
        sla,
        Status.FAIL if missed else decided,
        f"{len(recent)} runs: {counts}{took}.",
        value=longest,
        details={kind.value: [run.run_id for run in found] for kind, found in by.items() if found},
    )


def outcomes_of(sla: PipelineSla, runs: Sequence[TimedRun]) -> list[Outcome]:
    """Return what compliance is reckoned from: runs that are decided."""
    target = sla.completion_time_sla.target_duration_minutes
    decided = [(run, ended(run, target)) for run in runs if run.run_type in sla.run_types]
    return [
        Outcome(
            at=run.due_at,
            kept=how is Ended.MET,
            minutes=run.minutes if run.state == "success" else None,
        )
        for run, how in decided
        if how is not Ended.OPEN
    ]


def _verdict(sla: PipelineSla, status: Status, message: str, **more: Any) -> Verdict:
    return Verdict(
        check="completion_time",
        table=sla.name,
        status=status,
        message=message,
        expected=f"at most {sla.completion_time_sla.target_duration_minutes:g} min",
        critical=sla.critical,
        owner=sla.owner,
        **more,
    )
