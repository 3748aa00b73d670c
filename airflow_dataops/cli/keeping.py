"""What the two commands keep of a round: verdicts in the ledger, and alerts of violations."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow_dataops.core.health.kept import check_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.health.verdict import Verdict

AIRFLOW = "airflow"
"""Names the ledger of this machine's Airflow, in place of an URL."""


def ledger_at(name: str) -> LedgerStore:
    """Open a ledger: an URL, or `airflow` for that of `[dataops] ledger`.

    Raises:
        ConfigError: it is neither, or cannot be used.
    """
    if name != AIRFLOW:
        from airflow_dataops.adapters.ledger.store import LedgerStore

        return LedgerStore(name)
    # As Airflow's own commands do: connections are read from its database as well.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    from airflow_dataops.hooks.alerts import open_ledger

    return open_ledger()


def keep(ledger: LedgerStore, verdicts: Sequence[Verdict], at: datetime) -> None:
    """Write a round into the ledger."""
    ledger.write(check_events(verdicts, at))


def tell(
    ledger: LedgerStore,
    verdicts: Sequence[Verdict],
    at: datetime,
    max_ages: Mapping[str, float | None],
) -> None:
    """Raise an alert for each new violation, and say which are over.

    Args:
        max_ages: hours, of each subject that is told of; None where its age has no limit.
    """
    from airflow_dataops.adapters.outbox.service import AlertService
    from airflow_dataops.adapters.watch.tables import TableWatch
    from airflow_dataops.hooks.alerts import SystemClock, read_alerts_config

    service = AlertService(ledger.database, read_alerts_config(), SystemClock())
    TableWatch(max_ages, ledger, service).tell(verdicts, at)
