"""Whether DAGs without a schedule in time had a run on each day that an SLA asks for one.

A run that is there is judged as any other; what is told here is that there is none: it is late,
or never comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.adapters.watch.marks import Marks
from airflow_dataops.core.sla.daily import Occasion, occasions
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind, hashed
from airflow_dataops.core.sla.policies import ByTime
from airflow_dataops.core.sla.watching import sla_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.adapters.watch.answers import Dag
    from airflow_dataops.adapters.watch.definitions import Definitions
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.adapters.watch.records import Records
    from airflow_dataops.core.ports import MissSink
    from airflow_dataops.core.sla.policies import Sla

_OF_RUNS = (SubjectKind.TASK, SubjectKind.TASK_GROUP, SubjectKind.DAG)


class DayWatch:
    """Judges each day once, when it is due; a mark in the ledger tells how far it has come."""

    def __init__(
        self,
        reader: AirflowReader,
        definitions: Definitions,
        ledger: LedgerStore,
        records: Records,
        sink: MissSink,
    ) -> None:
        self._reader = reader
        self._definitions = definitions
        self._ledger = ledger
        self._sink = sink
        self._marks = Marks(records)

    def check(
        self,
        dags: Mapping[str, Dag],
        now: datetime,
        tell: Callable[[Sla, SlaMiss], object],
    ) -> list[SlaMiss]:
        """Tell the days without a run; return the new misses, and solve those whose run came.

        The first look at an SLA judges no day that was due before it.
        """
        told = []
        for dag_id, dag in dags.items():
            if not (dag.is_on and dag.has_no_times):
                continue
            for sla in self._definitions.of_runs(dag_id):
                if isinstance(sla.due, ByTime):
                    told += self._judge(dag_id, sla, sla.due, now, tell)
        self._solve(dags, now)
        return told

    def _judge(
        self,
        dag_id: str,
        sla: Sla,
        due: ByTime,
        now: datetime,
        tell: Callable[[Sla, SlaMiss], object],
    ) -> list[SlaMiss]:
        name = f"day:{hashed(dag_id, sla_id(sla))}"
        told = []
        for each in occasions(due, self._marks.get(name, now), now):
            if not self._has_run(dag_id, sla, each):
                miss = _miss(dag_id, sla, each, now)
                if self._sink.miss(miss):
                    tell(sla, miss)
                    told.append(miss)
            self._marks.move(name, each.due)
        return told

    def _has_run(self, dag_id: str, sla: Sla, each: Occasion) -> bool:
        runs = self._reader.runs_between(dag_id, each.since, each.due)
        return any(run.run_type in sla.run_types for run in runs)

    def _solve(self, dags: Mapping[str, Dag], now: datetime) -> None:
        """Solve the misses of days whose run has come and is done, or that nobody asks for."""
        for miss in self._ledger.open_misses(run_id=None):
            at, dag_id = miss.subject, miss.subject.dag_id or ""
            if at.kind not in _OF_RUNS or dag_id not in dags:
                continue
            wanted = {(s.task_id, s.name) for s in self._definitions.of_runs(dag_id)}
            if (at.task_id, miss.sla) not in wanted or self._came(miss, dag_id, now):
                self._sink.solve(miss.key)

    def _came(self, miss: SlaMiss, dag_id: str, now: datetime) -> bool:
        runs = self._reader.runs_between(dag_id, miss.due, now)
        if miss.subject.kind is not SubjectKind.TASK:
            return any(run.state == "success" for run in runs)
        keys = [run.key for run in runs]
        found = self._reader.instances(keys, [miss.subject.task_id or ""])
        return any(_is_done([i.state for i in found if i.dag_run_id == key[1]]) for key in keys)


def _is_done(states: Iterable[str | None]) -> bool:
    known = {*states} - {"skipped", "removed"}
    return known == {"success"}


def _miss(dag_id: str, sla: Sla, each: Occasion, now: datetime) -> SlaMiss:
    return SlaMiss(
        sla=sla.name,
        subject=Subject(
            kind=sla.kind,
            dag_id=dag_id,
            task_id=None if sla.kind is SubjectKind.DAG else sla.task_id,
        ),
        due=each.due,
        detected_at=now,
        tier=sla.tier,
        state="never_started",
        owner=sla.owner,
        tags=sla.tags,
        reason="No run has begun",
        escalate=sla.escalate,
    )
