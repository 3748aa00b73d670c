"""How far each watch has come, as the ledger notes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_dataops.adapters.watch.records import Records


class Marks:
    """Asks the ledger once for each mark."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[str, datetime] = {}

    def get(self, name: str, first: datetime) -> datetime:
        """Return what is noted under a name; `first`, which is noted, where nothing is."""
        if name not in self._known:
            self._known[name] = self._records.mark(first, name)
        return self._known[name]

    def move(self, name: str, at: datetime) -> None:
        """Note that a watch has come so far."""
        self._records.move(name, at)
        self._known[name] = at
