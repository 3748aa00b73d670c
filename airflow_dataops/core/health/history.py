"""How SLAs of DAGs were kept: the ledger's runs and tasks, and the misses that were told.

A miss is what was told when it happened, so a report never judges anew: an occasion (a run of
the DAG, with the task or the group) was kept where no miss of it is in the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.health.compliance import Outcome
from airflow_dataops.core.ledger.misses import SlaMiss, SubjectKind
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
    from airflow_dataops.core.sla.policies import Sla

_ENDED = ("success", "failed")
_DAY = timedelta(days=1)


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
) -> list[Outcome]:
    """Return an outcome for each run that owed something: of a DAG, a task, a task group.

    A run that never came is a miss without a run. What is still under way, and not missed, is
    no outcome yet.

    Args:
        runs, tasks: of the SLA's DAG.
        misses: of this SLA.
    """
    missed = {kept.miss.subject.run_id: kept.miss for kept in misses if not kept.miss.warning}
    spans = _spans(sla, tasks)
    found, seen = [], set()
    for run in runs:
        seen.add(run.run_id)
        miss = missed.get(run.run_id)
        owes = run.run_type is None or run.run_type in sla.run_types
        if miss is None and (run.state not in _ENDED or not owes):
            continue
        span = (run.started_at, run.ended_at)
        if sla.kind is not SubjectKind.DAG:
            span = spans.get(run.run_id, (None, None))
        at = miss.due if miss else run.data_interval_end or run.started_at or run.observed_at
        found.append(Outcome(at=at, kept=miss is None, minutes=_minutes(span)))
    found += [Outcome(at=m.due, kept=False) for id_, m in missed.items() if id_ not in seen]
    return found


def outcomes_of_age(misses: Sequence[KeptMiss], since: datetime, now: datetime) -> list[Outcome]:
    """Return an outcome for each day in which a table or an asset could have been too old.

    A day is kept where it was not, at any time of it.
    """
    spans = [(kept.miss.due, kept.solved_at or now) for kept in misses if not kept.miss.warning]
    found, begin = [], since
    while begin < now:
        end = min(begin + _DAY, now)
        late = any(due < end and solved >= begin for due, solved in spans)
        found.append(Outcome(at=begin, kept=not late))
        begin += _DAY
    return found


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
