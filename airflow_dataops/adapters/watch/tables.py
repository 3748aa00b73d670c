"""Checks of tables that failed -> misses; once until the table is well again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.ledger.misses import SlaMiss, Subject, SubjectKind, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.adapters.watch.desk import Desk
    from airflow_dataops.core.health.sla_config import SlaConfig


class TableWatch:
    """Hands in the failed checks of tables, and says when they pass again."""

    def __init__(self, config: SlaConfig, ledger: LedgerStore, desk: Desk) -> None:
        self._limits = {sla.table_id: sla.freshness_sla for sla in config.tables}
        self._ledger = ledger
        self._desk = desk

    def tell(self, verdicts: Iterable[Verdict], now: datetime) -> list[SlaMiss]:
        """Return the misses that are new. A check that could not be made changes nothing."""
        known: dict[tuple[str, str], list[SlaMiss]] = {}
        for miss in self._ledger.open_misses(kind=str(SubjectKind.TABLE)):
            known.setdefault((miss.subject.name, miss.sla), []).append(miss)
        told = []
        for each in verdicts:
            if each.table not in self._limits:
                continue
            open_ = known.get((each.table, each.check), [])
            if each.status is Status.FAIL and not open_:
                miss = self._miss(each, now)
                told += [miss] if self._desk.miss(miss) else []
            elif each.status in (Status.PASS, Status.WARN):
                for miss in open_:
                    self._desk.solve(miss.key)
        return told

    def _miss(self, each: Verdict, now: datetime) -> SlaMiss:
        limits, newest = self._limits[each.table], each.details.get("newest")
        due, since = now, None
        if each.check == "freshness" and limits is not None and newest:
            since = datetime.fromisoformat(newest)
            due = since + timedelta(hours=limits.max_age_hours)
        return SlaMiss(
            sla=each.check,
            subject=Subject(kind=SubjectKind.TABLE, name=each.table),
            due=due,
            detected_at=now,
            tier=Tier.CRITICAL if each.critical else Tier.IMPORTANT,
            since=since,
            owner=each.owner,
            reason=each.message,
        )
