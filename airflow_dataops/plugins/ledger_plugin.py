"""The ledger listener's entry point: nothing is opened before a run has something to tell."""

from __future__ import annotations

from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from airflow_dataops.hooks.cosmos_telemetry import mute_cosmos
from airflow_dataops.plugins.section import SECTION

# Cosmos counts runs in the processes that load plugins.
mute_cosmos()


def _listeners() -> list[Any]:
    if not conf.getboolean(SECTION, "ledger_feed", fallback=True):
        return []
    from airflow_dataops.hooks.ledger_feed import LedgerFeed
    from airflow_dataops.plugins.run_listener import RunListener

    return [RunListener(LedgerFeed(_open, _upkeep, _solve))]


def _open() -> Any:
    from airflow_dataops.hooks.alerts import open_ledger

    return open_ledger()


def _upkeep(ledger: Any) -> None:
    from airflow_dataops.hooks.ledger_upkeep import prune_daily
    from airflow_dataops.hooks.sla_unwatched import warn_of_unwatched

    prune_daily(ledger)
    warn_of_unwatched.check(ledger)


def _solve(ledger: Any, events: Any) -> None:
    from airflow_dataops.hooks.failure_alerts import solve_failures

    solve_failures(ledger, events)


class LedgerPlugin(AirflowPlugin):
    """Writes what ran into the ledger, unless `[dataops] ledger_feed` is off."""

    name = "dataops_ledger"
    listeners = _listeners()
