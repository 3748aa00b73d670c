"""How long the subjects of SLAs took in earlier runs, as the ledger knows it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
from airflow_dataops.core.sla.misses import Past, SubjectKind

if TYPE_CHECKING:
    from airflow_dataops.core.ports import Clock, Ledger
    from airflow_dataops.core.sla.policies import Sla

_FRESH = timedelta(minutes=10)
_RUNS = 20
_EVENTS = 200


class LedgerHistory:
    """Earlier runs of an SLA's subject; each subject is read once in ten minutes."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, tuple[Past, ...]]] = {}

    def __call__(self, dag_id: str, sla: Sla) -> tuple[Past, ...]:
        """Return what is known, newest first; nothing of task groups."""
        now, place = self._clock.now(), (dag_id, sla.task_id or "")
        found = self._known.get(place)
        if found is None or now - found[0] > _FRESH:
            found = now, self._read(dag_id, sla)
            self._known[place] = found
        return found[1]

    def _read(self, dag_id: str, sla: Sla) -> tuple[Past, ...]:
        if sla.kind is SubjectKind.DAG:
            runs = self._ledger.read(RunEvent, limit=_RUNS, dag_id=dag_id, state="success")
            return tuple(_past(e.run_id, e.started_at, e.ended_at, e.state) for e in runs)
        if sla.kind is not SubjectKind.TASK:
            return ()
        by_run: dict[str, list[TaskEvent]] = defaultdict(list)
        for each in self._ledger.read(
            TaskEvent, limit=_EVENTS, dag_id=dag_id, task_id=sla.task_id, state="success"
        ):
            by_run[each.run_id].append(each)
        return tuple(_of_instances(run_id, events) for run_id, events in by_run.items())[:_RUNS]


def _of_instances(run_id: str, events: list[TaskEvent]) -> Past:
    """Take the instances of a mapped task together."""
    starts = [each.started_at for each in events if each.started_at is not None]
    ends = [each.ended_at for each in events if each.ended_at is not None]
    return _past(run_id, min(starts, default=None), max(ends, default=None), "success")


def _past(run_id: str, started: datetime | None, ended: datetime | None, state: str | None) -> Past:
    seconds = (ended - started).total_seconds() if started and ended else None
    return Past(run_id=run_id, ended_at=ended, seconds=seconds, state=state)
