"""How SLAs of DAGs were kept: the ledger's runs and tasks, and the misses that were told.

A miss is what was told when it happened, so a report never judges anew: an occasion (a run of
the DAG, with the task or the group) was kept where it was looked at and no miss of it is in the
ledger. What nobody looked at is not judged.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.health.compliance import Outcome
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.due import by_time
from airflow_dataops.core.sla.misses import SlaMiss, SubjectKind
from airflow_dataops.core.sla.policies import ByTime

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
    from airflow_dataops.core.sla.policies import Sla

_ENDED = ("success", "failed")
_DAY = timedelta(days=1)
_LATELY = timedelta(minutes=10)
"""Who looked so short a time ago looks still."""


class KeptMiss(Struct, frozen=True):
    """A miss, and when it was solved; None while it is open."""

    miss: SlaMiss
    solved_at: datetime | None = None


def subject_of(sla: Sla) -> str:
    """Name what an SLA is about as its misses do, without the index of a mapped task."""
    if sla.kind in (SubjectKind.ASSET, SubjectKind.TABLE):
        return sla.subject
    return f"{sla.dag_id}.{sla.task_id}" if sla.task_id else str(sla.dag_id)


def outcomes_of_runs(
    sla: Sla,
    runs: Iterable[RunEvent],
    tasks: Iterable[TaskEvent],
    misses: Iterable[KeptMiss],
    judged: Collection[str] | None = None,
) -> list[Outcome]:
    """Return an outcome for each run that owed something: of a DAG, a task, a task group.

    A run that never came is a miss without a run. What is still under way, and not missed, is
    no outcome yet; nor is the run of a day that is not in the SLA's calendar.

    Args:
        runs, tasks: of the SLA's DAG.
        misses: of this SLA.
        judged: ids of the runs in which the monitor decided on this SLA; None for all.
    """
    told = [kept.miss for kept in misses if not kept.miss.warning]
    missed = {miss.subject.run_id: miss for miss in told if miss.subject.run_id}
    spans = _spans(sla, tasks)
    found, seen = [], set()
    for run in runs:
        seen.add(run.run_id)
        miss = missed.get(run.run_id)
        if miss is None and (run.state not in _ENDED or not _owes(sla, run)):
            continue
        span = (run.started_at, run.ended_at)
        if sla.kind is not SubjectKind.DAG:
            span = spans.get(run.run_id, (None, None))
        at = miss.due if miss else run.data_interval_end or run.started_at or run.observed_at
        known = miss is not None or judged is None or run.run_id in judged
        found.append(Outcome(at=at, kept=miss is None, minutes=_minutes(span), judged=known))
    found += [Outcome(at=m.due, kept=False) for m in told if m.subject.run_id not in seen]
    return found


def _owes(sla: Sla, run: RunEvent) -> bool:
    """Tell whether a run owes something: by its type, and by the calendar of its day."""
    if run.run_type is not None and run.run_type not in sla.run_types:
        return False
    complete = run.data_interval_end or run.logical_date
    if complete is None or not isinstance(sla.due, ByTime):
        return True
    return by_time(sla.due, complete) is not None


def outcomes_of_age(
    misses: Sequence[KeptMiss],
    since: datetime,
    now: datetime,
    watched: tuple[datetime | None, datetime | None] = (None, None),
) -> list[Outcome]:
    """Return an outcome for each day in which a table or an asset could have been too old.

    A day is kept where it was not, at any time of it. Days are those of UTC, whenever the report is
    made; the first begins with the report's time, and the last ends with it.

    Args:
        watched: since when and until when somebody looked; None where that is not known. A day
            that is not wholly in it is not judged, unless it is missed.
    """
    first, last = watched[0] or since, watched[1] or now
    spans = [(kept.miss.due, kept.solved_at or now) for kept in misses if not kept.miss.warning]
    found = []
    for begin, end in _days(since, now):
        late = any(due < end and solved >= begin for due, solved in spans)
        known = late or (first <= begin and (end <= last or now - last <= _LATELY))
        found.append(Outcome(at=begin, kept=not late, judged=known))
    return found


def _days(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    begin = since
    while begin < until:
        midnight = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(midnight + _DAY, until)
        yield begin, end
        begin = end


def _spans(
    sla: Sla, tasks: Iterable[TaskEvent]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return from when until when a task, all of its instances, or a group ran, by run."""
    by_run: dict[str, list[TaskEvent]] = defaultdict(list)
    for each in tasks:
        if _is_of(sla, each.task_id) and each.started_at is not None:
            by_run[each.run_id].append(each)
    return {
        run_id: (
            min(each.started_at for each in events if each.started_at is not None),
            max((each.ended_at for each in events if each.ended_at is not None), default=None),
        )
        for run_id, events in by_run.items()
        if all(each.state == "success" for each in _last_tries(events))
    }


def _last_tries(events: Iterable[TaskEvent]) -> Iterable[TaskEvent]:
    last: dict[tuple[str, int], TaskEvent] = {}
    for each in events:
        place = (each.task_id, each.map_index)
        if place not in last or last[place].try_number < each.try_number:
            last[place] = each
    return last.values()


def _is_of(sla: Sla, task_id: str) -> bool:
    if sla.kind is SubjectKind.TASK:
        return task_id == sla.task_id
    if sla.members:
        return task_id in sla.members
    return sla.kind is SubjectKind.TASK_GROUP and task_id.startswith(f"{sla.task_id}.")


def _minutes(span: tuple[datetime | None, datetime | None]) -> float | None:
    started, ended = span
    return None if started is None or ended is None else (ended - started).total_seconds() / 60
