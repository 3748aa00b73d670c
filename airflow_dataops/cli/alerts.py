"""`airflow-dataops alerts`: send what is in the outbox, see to incidents, check the alerts file."""

from __future__ import annotations

import os
import signal
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_dataops.cli.health_files import to_json
from airflow_dataops.errors import printable

if TYPE_CHECKING:
    from airflow_dataops.adapters.outbox.incidents import Incident

alerts = typer.Typer(
    name="alerts", help="Send alerts, see to incidents, check the file.", no_args_is_help=True
)


class Format(StrEnum):
    """How incidents are listed."""

    TEXT = "text"
    JSON = "json"


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


@alerts.command(name="list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Solved ones, too.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
) -> None:
    """List the incidents that are open, the worst first."""
    from airflow_dataops.adapters.outbox.incidents import list_incidents
    from airflow_dataops.hooks.alerts import open_ledger

    with open_ledger().database.read() as connection:
        found = list_incidents(connection, solved=all_)
    if format_ is Format.JSON:
        typer.echo(to_json(found), nl=False)
        return
    for each in found:
        typer.echo(_line(each))
    if not found:
        typer.echo("No incident is open." if not all_ else "There are no incidents.")


@alerts.command()
def acknowledge(
    incident: Annotated[list[str], typer.Argument(help="Its id, or how that begins.")],
) -> None:
    """Say that somebody is at it: nothing is escalated any more, unless it gets worse."""
    _each(incident, "acknowledge", "acknowledged", "was acknowledged or solved before")


@alerts.command()
def resolve(
    incident: Annotated[list[str], typer.Argument(help="Its id, or how that begins.")],
) -> None:
    """Say that it is solved: whoever was told of it is told so."""
    _each(incident, "close", "solved", "was solved before")


def _each(given: list[str], method: str, done: str, was: str) -> None:
    from airflow_dataops.adapters.outbox.incidents import find_incident
    from airflow_dataops.hooks.alerts import alert_service, open_ledger

    with open_ledger().database.read() as connection:
        ids = [find_incident(connection, each) for each in given]
    service = alert_service()
    for id_ in ids:
        typer.echo(f"{id_[:12]} {done if getattr(service, method)(id_) else was}")


def _line(each: Incident) -> str:
    more = f" and {each.alerts - 1} more" if each.alerts > 1 else ""
    parts = [
        f"{each.id[:12]}  {each.tier}  {each.state}  since {each.opened_at:%Y-%m-%d %H:%M} UTC",
        f"  {printable(each.title)}{more}",
    ]
    if each.told:
        parts.append(f"  told: {', '.join(each.told)}")
    if each.waiting:
        parts.append(f"  waiting: {', '.join(each.waiting)}")
    if each.escalates_at is not None:
        parts.append(f"  escalated at {each.escalates_at:%Y-%m-%d %H:%M} UTC")
    return "\n".join([*parts, *(f"  {printable(error)}" for error in each.errors)])


@alerts.command()
def check(
    config: Annotated[Path, typer.Argument(help="The alerts file.")],
) -> None:
    """Tell all that is wrong with an alerts file at once."""
    from airflow_dataops.hooks.alerts import read_alerts_config

    found = read_alerts_config(str(config))
    typer.echo(f"{config}: {len(found.routes)} routes, nothing wrong")
