"""Checks that failed -> misses; once until all is well again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sla.misses import VIOLATED, SlaMiss, Subject, SubjectKind, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.ports import MissSink


class TableWatch:
    """Hands in the failed checks of tables, and says when they pass again.

    Args:
        max_ages: hours, of each table that is told of; None where its age has no limit.
    """

    def __init__(
        self, max_ages: Mapping[str, float | None], ledger: LedgerStore, sink: MissSink
    ) -> None:
        self._limits = max_ages
        self._ledger = ledger
        self._sink = sink

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
            miss = self._miss(each, now)
            if each.status is Status.FAIL and all(m.tier.rank > miss.tier.rank for m in open_):
                # Also one that matters more now than it did when it was told.
                told += [miss] if self._sink.miss(miss) else []
                for before in open_:
                    self._sink.solve(before.key)
            elif each.status in (Status.PASS, Status.WARN):
                for miss in open_:
                    self._sink.solve(miss.key)
        return told

    def _miss(self, each: Verdict, now: datetime) -> SlaMiss:
        limits, newest = self._limits[each.table], each.details.get("newest")
        state: str | None = VIOLATED
        due, since = now, None
        if each.check == "freshness" and limits is not None and newest:
            since, state = datetime.fromisoformat(newest), None
            due = since + timedelta(hours=limits)
        return SlaMiss(
            sla=each.check,
            subject=Subject(kind=SubjectKind.TABLE, name=each.table),
            due=due,
            detected_at=now,
            tier=Tier.CRITICAL if each.critical else Tier.IMPORTANT,
            state=state,
            since=since,
            owner=each.owner,
            reason=each.message,
        )
