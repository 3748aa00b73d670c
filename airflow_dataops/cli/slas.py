"""`airflow-dataops slas`: check the SLA file, print its JSON Schema."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from airflow_dataops.cli.health_files import schema_text
from airflow_dataops.core.sla.rules import SlaFile, read_rules
from airflow_dataops.errors import ConfigError

slas = typer.Typer(name="slas", help="Check the file of SLAs.", no_args_is_help=True)


@slas.command()
def check(
    file: Annotated[Path, typer.Argument(help="The SLA file.")],
) -> None:
    """Tell all that is wrong with an SLA file at once."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None
    found = read_rules(text, str(file))
    typer.echo(f"{file}: {len(found)} SLAs, nothing wrong")


@slas.command()
def schema() -> None:
    """Print the JSON Schema of an SLA file, for editors."""
    typer.echo(schema_text(SlaFile), nl=False)
