"""`sla-tracker --report`: how the SLAs that the ledger knows were kept."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.watch.records import BEGAN, MARK, Records
from airflow_dataops.core.health.compliance import Compliance, compliance
from airflow_dataops.core.health.history import KeptMiss, outcomes_of_age, outcomes_of_runs
from airflow_dataops.core.ledger.events import RunEvent, SlaEvent, TaskEvent
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import DEFAULTS, Sla
from airflow_dataops.core.sla.watching import sla_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from airflow_dataops.adapters.ledger.store import LedgerStore

_DATA = (SubjectKind.ASSET, SubjectKind.TABLE)


def history(
    ledger: LedgerStore, days: int, now: datetime, known: Collection[tuple[str, str]] = ()
) -> list[Compliance]:
    """Reckon the compliance of the SLAs of DAGs and assets over so many days.

    The target of each is its tier's.

    Args:
        known: subjects and SLAs that are reckoned elsewhere.
    """
    since = now - timedelta(days=days)
    events = [
        event
        for event in ledger.read(SlaEvent)
        if (event.subject, event.sla) not in known and event.definition
    ]
    misses = _misses(ledger, since)
    records = Records(ledger.database)
    watched = (ledger.mark(BEGAN), ledger.mark(MARK))
    found = []
    for dag_id, group in _by_dag(events).items():
        runs = ledger.read(RunEvent, since=since, dag_id=dag_id) if dag_id else []
        decided = None if watched[1] is None else _decided(records, dag_id)
        wanted = any(sla.task_id for _, sla in group)
        tasks = _by_task(ledger.read(TaskEvent, since=since, dag_id=dag_id) if wanted else [])
        for event, sla in group:
            kept = misses[event.subject, sla.name]
            if sla.kind in _DATA:
                outcomes = outcomes_of_age(kept, since, now, watched)
            else:
                of_sla = tasks.get(sla.task_id or "", [])
                if sla.kind is SubjectKind.TASK_GROUP:
                    of_sla = [each for some in tasks.values() for each in some]
                judged = None if decided is None else decided[sla_id(sla)]
                outcomes = outcomes_of_runs(sla, runs, of_sla, kept, judged)
            target = DEFAULTS[sla.tier].objective
            found.append(compliance(event.subject, sla.name, outcomes, target_percent=target))
    return sorted(found, key=lambda each: (each.subject, each.sla))


def _decided(records: Records, dag_id: str | None) -> dict[str, set[str]]:
    """Return the runs of a DAG in which each SLA was decided, by the SLA's id."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in records.of_dag(dag_id or ""):
        for name in each.over:
            found[name].add(each.run.run_id)
    return found


def _by_dag(events: Iterable[SlaEvent]) -> dict[str | None, list[tuple[SlaEvent, Sla]]]:
    found: dict[str | None, list[tuple[SlaEvent, Sla]]] = defaultdict(list)
    for event in events:
        sla = msgspec.convert(event.definition, Sla, strict=False)
        found[None if sla.kind in _DATA else sla.dag_id].append((event, sla))
    return found


def _by_task(events: Iterable[TaskEvent]) -> dict[str, list[TaskEvent]]:
    found: dict[str, list[TaskEvent]] = defaultdict(list)
    for event in events:
        found[event.task_id].append(event)
    return found


def _misses(ledger: LedgerStore, since: datetime) -> dict[tuple[str, str], list[KeptMiss]]:
    found: dict[tuple[str, str], list[KeptMiss]] = defaultdict(list)
    for miss, solved_at in ledger.misses(since=since):
        at = miss.subject
        name = at.name or (f"{at.dag_id}.{at.task_id}" if at.task_id else str(at.dag_id))
        found[name, miss.sla].append(KeptMiss(miss=miss, solved_at=solved_at))
    return found
