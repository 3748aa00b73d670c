"""What a finished run adds to the counters, read from Airflow's database.

Listeners see only what happens in a process that lives to tell: not a task that was killed,
skipped or failed by the scheduler, or set by hand. So outcomes are not counted when they happen
but when their run has ended, from the rows of the database, by these rules:

- A run that was cleared ends several times. From one start to one end is a *leg*; a row belongs
  to the leg in which it got its state.
- A task instance counts once in each leg in which it got a state, under the state that it has.
- A try that was followed by another one in the same leg counts as a retry.

So each row of `task_instance` and each try of `task_instance_history` counts exactly once.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.metrics import catalogue as metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.metrics.catalogue import Metric

_BY_STATE = {
    "success": metrics.TASK_SUCCESS,
    "failed": metrics.TASK_FAILURE,
    "skipped": metrics.TASK_SKIPPED,
    "upstream_failed": metrics.TASK_UPSTREAM_FAILED,
    "removed": metrics.TASK_REMOVED,
}
_RAN = frozenset({"success", "failed", "skipped"})
FINAL_RUN_STATES = frozenset({"success", "failed"})
_AT_ONCE = timedelta(seconds=1)


class RunEnd(NamedTuple):
    """A run that ended, as the listener saw it; its transaction may not be committed yet.

    Attributes:
        state: the state it ended in.
        end: when it ended.
        by_hand: whether somebody set the state, over REST or in the UI.
        heard: when the listener was told.
    """

    dag_id: str
    run_id: str
    run_type: str
    state: str
    queued: datetime | None
    start: datetime | None
    end: datetime
    by_hand: bool
    heard: datetime

    @property
    def begin(self) -> datetime:
        """When the leg began: a run that is cleared is queued and started anew."""
        return min(filter(None, (self.queued, self.start, self.end)))


class RunRow(NamedTuple):
    """A row of `dag_run`, as it is committed now."""

    dag_id: str
    run_id: str
    state: str
    queued: datetime | None
    end: datetime | None
    updated: datetime | None


class TryRow(NamedTuple):
    """A row of `task_instance`, or one of `task_instance_history` (`archived`)."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    queued: datetime | None
    start: datetime | None
    end: datetime | None
    updated: datetime | None
    archived: bool


class Verdict(Enum):
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


def judge(seen: RunEnd, row: RunRow | None) -> Verdict:
    """Compare what the listener saw with what is committed."""
    if row is None:
        return Verdict.IGNORE
    if row.end == seen.end and row.state in FINAL_RUN_STATES:
        return _unless_late(seen, row.updated, Verdict.COUNT)
    if row.queued is not None and row.queued > seen.end:
        return _unless_late(seen, seen.heard, Verdict.COUNT_PAST)
    return Verdict.WAIT if row.end is None or row.end < seen.end else Verdict.IGNORE


def _unless_late(seen: RunEnd, changed: datetime | None, verdict: Verdict) -> Verdict:
    """Ignore a state that was set by hand after the run had ended: the end date stays then."""
    late = changed is not None and changed - seen.end > _AT_ONCE
    return Verdict.IGNORE if seen.by_hand and late else verdict


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
        if row.try_number > 0 and row.start is not None:
            yield Addition(metrics.TASK_RETRY, row.task_id, 1)
            yield from _durations(row)


def _settled(row: TryRow, archived: set[int]) -> datetime | None:
    """Return when a row got its state.

    Airflow keeps the old end date when it skips or fails a cleared task instance without running
    it; its try number, which is in the history too, gives that away.
    """
    stale = not row.archived and row.try_number in archived
    return row.updated if stale or row.end is None else row.end


def _is_between(moment: datetime | None, begin: datetime, end: datetime | None) -> bool:
    if moment is None:
        return end is None
    return moment >= begin and (end is None or moment <= end)


def _durations(row: TryRow) -> Iterator[Addition]:
    if row.state not in _RAN or row.queued is None or row.start is None or row.end is None:
        return
    if row.end >= row.start:
        seconds = (row.end - row.start).total_seconds()
        yield Addition(metrics.TASK_RUN_SECONDS, row.task_id, seconds)
    if row.start >= row.queued:
        seconds = (row.start - row.queued).total_seconds()
        yield Addition(metrics.TASK_QUEUE_SECONDS, row.task_id, seconds)
