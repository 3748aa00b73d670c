"""Runs that ended -> the alerts of their failures that are solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.adapters.outbox.failures import succeeded_in
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.hooks.alerts import SystemClock, read_alerts_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.ledger.events import Event


def solve_failures(ledger: LedgerStore, events: Sequence[Event]) -> int:
    """Solve the alerts of what failed and succeeded after all; return how many.

    Args:
        events: of one run: its own, and those of its tasks.

    Raises:
        ConfigError: the alerts file is wrong.
    """
    done = succeeded_in(events)
    if done is None or not (done.subjects or done.is_whole):
        return 0
    return AlertService(ledger.database, read_alerts_config(), SystemClock()).succeeded(done)
