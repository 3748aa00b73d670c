"""`airflow-dataops ledger`: bring its tables up to date, keep it small, fill it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

ledger = typer.Typer(name="ledger", help="Look after the ledger.", no_args_is_help=True)


@ledger.callback()
def connect() -> None:
    """Look after the ledger that `[dataops] ledger` names."""
    # As Airflow's own commands do: connections are read from its database as well.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


@ledger.command()
def migrate() -> None:
    """Bring the tables up to date, whatever `[dataops] ledger_migrate` says."""
    from airflow_dataops.adapters.ledger.tables import HEAD
    from airflow_dataops.hooks.alerts import open_ledger

    found = open_ledger(migrate=True)
    typer.echo(f"{found.database} is of revision {HEAD}")


@ledger.command()
def prune(
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Keep so many days; by default [dataops] ledger_keep_days."),
    ] = None,
) -> None:
    """Delete what is old and over; the scheduler does it once a day as well."""
    from airflow_dataops.hooks.ledger_upkeep import prune_ledger

    typer.echo(f"{prune_ledger(days)} rows deleted")


@ledger.command()
def fill(
    days: Annotated[int, typer.Option(min=1, help="Runs that ended within so many days.")] = 30,
) -> None:
    """Write the runs that Airflow's database still has, with their tasks."""
    from airflow.settings import initialize

    from airflow_dataops.hooks.alerts import open_ledger
    from airflow_dataops.hooks.ledger_feed import LedgerFeed

    initialize()
    feed = LedgerFeed(open_ledger)
    typer.echo(f"{feed.catch_up(datetime.now(UTC) - timedelta(days=days))} runs written")
