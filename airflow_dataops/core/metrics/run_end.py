"""What a finished run adds to the counters, read from Airflow's database.

Outcomes are not counted when they happen but when their run has ended (see core/runs.py), by these
rules:

- A run that was cleared ends several times. From one start to one end is a *leg*; a row belongs
  to the leg in which it got its state.
- A task instance counts once in each leg in which it got a state, under the state that it has.
- A try that was followed by another one in the same leg counts as a retry.

So each row of `task_instance` and each try of `task_instance_history` counts exactly once.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.metrics import catalogue as metrics
from airflow_dataops.core.runs import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from airflow_dataops.core.metrics.catalogue import Metric
    from airflow_dataops.core.runs import RunEnd, RunRow, TryRow

_BY_STATE = {
    "success": metrics.TASK_SUCCESS,
    "failed": metrics.TASK_FAILURE,
    "skipped": metrics.TASK_SKIPPED,
    "upstream_failed": metrics.TASK_UPSTREAM_FAILED,
    "removed": metrics.TASK_REMOVED,
}
_RAN = frozenset({"success", "failed", "skipped"})
_AT_ONCE = timedelta(seconds=1)


class EndDecision(Enum):
    """What to do about a run that ended, once its row is read."""

    COUNT = auto()
    COUNT_PAST = auto()
    """It ended, and was cleared since: count what was there before."""
    WAIT = auto()
    """The end is not committed yet."""
    IGNORE = auto()
    """The end was rolled back, or somebody changed the state of a run that had ended before."""


class Addition(NamedTuple):
    """What is added to one metric of one task."""

    metric: Metric
    task_id: str
    value: float


def judge(seen: RunEnd, row: RunRow | None) -> EndDecision:
    """Compare what the listener saw with what is committed."""
    if row is None:
        return EndDecision.IGNORE
    if row.end_date == seen.end and row.state in FINAL:
        return _unless_late(seen, row.updated_at, EndDecision.COUNT)
    if row.queued_at is not None and row.queued_at > seen.end:
        return _unless_late(seen, seen.heard, EndDecision.COUNT_PAST)
    return (
        EndDecision.WAIT if row.end_date is None or row.end_date < seen.end else EndDecision.IGNORE
    )


def _unless_late(seen: RunEnd, changed: datetime | None, decision: EndDecision) -> EndDecision:
    """Ignore a state that was set by hand after the run had ended: the end date stays then."""
    late = changed is not None and changed - seen.end > _AT_ONCE
    return EndDecision.IGNORE if seen.by_hand and late else decision


def additions(
    rows: Iterable[TryRow], begin: datetime, end: datetime | None = None
) -> Iterator[Addition]:
    """Yield what the task instances of one leg add.

    Args:
        rows: all rows of the run.
        begin: when the leg began.
        end: for a leg that is past, when it ended; None for one after which nothing happened.
    """
    instances: defaultdict[tuple[str, int], list[TryRow]] = defaultdict(list)
    for row in rows:
        instances[row.task_id, row.map_index].append(row)
    for tries in instances.values():
        tries.sort(key=lambda row: (not row.archived, row.try_number))
        yield from _of_instance(tries, begin, end)


def _of_instance(tries: list[TryRow], begin: datetime, end: datetime | None) -> Iterator[Addition]:
    """Take the tries of one task instance, oldest first."""
    archived = {row.try_number for row in tries if row.archived}
    mine = [row for row in tries if _is_between(_settled(row, archived), begin, end)]
    if end is None and not tries[-1].archived and tries[-1].state not in _BY_STATE:
        mine = [*(row for row in mine if row.archived), tries[-1]]
    if not mine:
        return
    last = mine[-1]
    if end is not None or not last.archived:
        yield Addition(_BY_STATE.get(last.state or "", metrics.TASK_UNFINISHED), last.task_id, 1)
        yield from _durations(last)
        mine = mine[:-1]
    for row in mine:
        if row.try_number > 0 and row.start_date is not None:
            yield Addition(metrics.TASK_RETRY, row.task_id, 1)
            yield from _durations(row)


def _settled(row: TryRow, archived: set[int]) -> datetime | None:
    """Return when a row got its state.

    Airflow keeps the old end date when it skips or fails a cleared task instance without running
    it; its try number, which is in the history too, gives that away.
    """
    stale = not row.archived and row.try_number in archived
    return row.updated_at if stale or row.end_date is None else row.end_date


def _is_between(moment: datetime | None, begin: datetime, end: datetime | None) -> bool:
    if moment is None:
        return end is None
    return moment >= begin and (end is None or moment <= end)


def _durations(row: TryRow) -> Iterator[Addition]:
    if (
        row.state not in _RAN
        or row.queued_at is None
        or row.start_date is None
        or row.end_date is None
    ):
        return
    if row.end_date >= row.start_date:
        seconds = (row.end_date - row.start_date).total_seconds()
        yield Addition(metrics.TASK_RUN_SECONDS, row.task_id, seconds)
    if row.start_date >= row.queued_at:
        seconds = (row.start_date - row.queued_at).total_seconds()
        yield Addition(metrics.TASK_QUEUE_SECONDS, row.task_id, seconds)
