"""`airflow-dataops alerts`: send what is in the outbox, check the alerts file."""

from __future__ import annotations

import os
import signal
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from threading import Event
from typing import Annotated

import typer

alerts = typer.Typer(
    name="alerts", help="Send alerts and check the alerts file.", no_args_is_help=True
)


@alerts.command()
def send(
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until SIGTERM or SIGINT instead of once.")
    ] = False,
    poll: Annotated[float, typer.Option(min=0.05, help="Seconds between looks.")] = 1.0,
    config: Annotated[
        str | None, typer.Option(help="Another alerts file than [dataops] alerts_config.")
    ] = None,
) -> None:
    """Send what is due in the outbox. Any number of these may run, on any machines."""
    # As Airflow's own commands do: connections are read from its database as well.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    from airflow_dataops.hooks.alerts import alert_sender, read_alerts_config

    sender = alert_sender(read_alerts_config(config))
    if not watch:
        typer.echo(f"{sender.run_once()} alerts sent")
        return
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender.run(stop, poll)


@alerts.command()
def check(
    config: Annotated[Path, typer.Argument(help="The alerts file.")],
) -> None:
    """Tell all that is wrong with an alerts file at once."""
    from airflow_dataops.hooks.alerts import read_alerts_config

    found = read_alerts_config(str(config))
    typer.echo(f"{config}: {len(found.routes)} routes, nothing wrong")
