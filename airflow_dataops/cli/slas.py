"""`airflow-dataops slas`: check the SLA file and what SLAs need, print the JSON Schema."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from airflow_dataops.adapters.local_files import read_settings_file
from airflow_dataops.cli.health_files import schema_text
from airflow_dataops.core.sla.pieces import pieces
from airflow_dataops.core.sla.rules import SlaFile, read_rules

slas = typer.Typer(name="slas", help="Check the file of SLAs.", no_args_is_help=True)


@slas.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="The SLA file.")] = None,
) -> None:
    """Tell all that is wrong with an SLA file at once.

    Without a file: tell which of the three things that SLAs need (a monitor, an alerts file, a
    sender) are missing, as the ledger knows it; exits 1 where one is.
    """
    if file is None:
        _check_pieces()
        return
    found = read_rules(read_settings_file(file), str(file))
    typer.echo(f"{file}: {len(found)} SLAs, nothing wrong")


def _check_pieces() -> None:
    from airflow_dataops.adapters.outbox import sender
    from airflow_dataops.adapters.watch import records
    from airflow_dataops.hooks.alerts import has_alerts_file, open_ledger, read_alerts_config

    ledger = open_ledger()
    found = pieces(
        watched=ledger.mark(records.MARK),
        routes=len(read_alerts_config().routes) if has_alerts_file() else None,
        sent=ledger.mark(sender.MARK),
        now=datetime.now(UTC),
    )
    typer.echo(f"ledger: {ledger.database.url.render_as_string(hide_password=True)}")
    for each in found:
        told = f"missing ({each.found}): {each.missing}." if each.missing else f"{each.found}."
        typer.echo(f"{each.name}: {told}")
    if any(each.missing for each in found):
        raise typer.Exit(1)


@slas.command()
def schema() -> None:
    """Print the JSON Schema of an SLA file, for editors."""
    typer.echo(schema_text(SlaFile), nl=False)
