"""The SLAs that are watched, as the ledger keeps them for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.health.history import subject_of
from airflow_dataops.core.ledger.events import SlaEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow_dataops.core.ports import Ledger
    from airflow_dataops.core.sla.policies import Sla


class KeptSlas:
    """Writes SLAs that are new or have changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._written: dict[tuple[str, str], Sla] = {}

    def keep(self, slas: Iterable[Sla], now: datetime) -> None:
        """Write those that are not as they were written last."""
        news = {(subject_of(sla), sla.name): sla for sla in slas}
        news = {key: sla for key, sla in news.items() if self._written.get(key) != sla}
        self._ledger.write([_event(subject, sla, now) for (subject, _), sla in news.items()])
        self._written |= news


def _event(subject: str, sla: Sla, now: datetime) -> SlaEvent:
    return SlaEvent(
        sla=sla.name,
        subject=subject,
        observed_at=now,
        tier=str(sla.tier),
        owner=sla.owner,
        definition=msgspec.to_builtins(sla),
    )
