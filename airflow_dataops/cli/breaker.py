"""`airflow-dataops breaker`: which circuit breakers are open, and closing one by hand."""

from __future__ import annotations

import os
from typing import Annotated

import typer

breaker = typer.Typer(name="breaker", help="Look after circuit breakers.", no_args_is_help=True)


@breaker.callback()
def connect() -> None:
    """Look after the circuit breakers in the ledger that `[dataops] ledger` names."""
    # As Airflow's own commands do: connections are read from its database as well.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


@breaker.command("list")
def show() -> None:
    """Print each breaker that was ever used: name, state, failures, since when, last error."""
    from airflow_dataops.hooks.breaker import open_breakers

    for name, each in open_breakers().all().items():
        since = "" if each.changed_at is None else each.changed_at.isoformat(timespec="seconds")
        fields = (name, each.state, str(each.failures), since, each.error or "")
        typer.echo("\t".join(" ".join(field.split()) for field in fields))


@breaker.command()
def reset(name: Annotated[str, typer.Argument(help="As `list` prints it.")]) -> None:
    """Close a breaker now: the service is well again."""
    from airflow_dataops.hooks.breaker import open_breakers

    if not open_breakers().reset(name):
        typer.echo(
            f"There is no breaker {name!r}; `airflow-dataops breaker list` lists them.", err=True
        )
        raise typer.Exit(1)
    typer.echo(f"{name} is closed")
