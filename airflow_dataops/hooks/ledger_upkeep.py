"""What keeps the ledger small: once a day, by whoever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.configuration import conf

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.alerts import open_ledger

if TYPE_CHECKING:
    from airflow_dataops.adapters.ledger.store import LedgerStore

MARK = "prune"
KEEP_DAYS = 400
"""A year and a month: so the report of a month can stand beside that of the year before."""
_EVERY = timedelta(days=1)


def keep_days() -> int:
    """Return `[dataops] ledger_keep_days`; 0 keeps everything.

    Raises:
        ConfigError: it is no whole number, or below 0.
    """
    text = conf.get("dataops", "ledger_keep_days", fallback=str(KEEP_DAYS)).strip()
    if not text.isdigit():
        raise ConfigError(f"[dataops] ledger_keep_days is {text!r}; write a number of days.")
    return int(text)


def prune_ledger(days: int | None = None, *, now: datetime | None = None) -> int:
    """Delete what is older than so many days; return how many rows went.

    Args:
        days: by default `[dataops] ledger_keep_days`.

    Raises:
        ConfigError: the setting is wrong, or the ledger cannot be used.
    """
    kept = keep_days() if days is None else days
    at = now or datetime.now(UTC)
    return open_ledger().prune(at - timedelta(days=kept)) if kept else 0


def prune_daily(ledger: LedgerStore | None = None, *, now: datetime | None = None) -> int:
    """Do the same if nobody has within a day, as a mark in the ledger tells.

    Call it as often as you like: from the scheduler, the SLA monitor, cron.
    """
    kept, at = keep_days(), now or datetime.now(UTC)
    found = ledger or open_ledger()
    done = found.mark(MARK)
    if not kept or (done is not None and at - done < _EVERY):
        return 0
    found.move(MARK, at)
    return found.prune(at - timedelta(days=kept))
