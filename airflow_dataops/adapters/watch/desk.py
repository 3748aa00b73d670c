"""The port through which misses leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airflow_dataops.core.ledger.misses import SlaMiss


class Desk(Protocol):
    """Where misses are handed in; see `AlertDesk`."""

    def miss(self, miss: SlaMiss) -> bool:
        """Keep a miss and raise its alert; return False where it is known."""

    def solve(self, key: str) -> bool:
        """Say that a miss is solved; return False where it was not open."""
