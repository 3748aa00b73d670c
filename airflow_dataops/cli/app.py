"""The commands, one module each."""

from __future__ import annotations

import typer

from airflow_dataops.cli.alerts import alerts
from airflow_dataops.cli.backfill import backfill
from airflow_dataops.cli.breaker import breaker
from airflow_dataops.cli.compile import compile_command
from airflow_dataops.cli.graph import diff, graph
from airflow_dataops.cli.ledger import ledger
from airflow_dataops.cli.lint import lint
from airflow_dataops.cli.metrics import metrics
from airflow_dataops.cli.plan import plan
from airflow_dataops.cli.slas import slas

app = typer.Typer(
    name="airflow-dataops",
    help="Data pipelines from manifests on Apache Airflow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("compile")(compile_command)
app.command("plan")(plan)
app.command("graph")(graph)
app.command("diff")(diff)
app.command("lint")(lint)
app.command("metrics")(metrics)
app.command("backfill")(backfill)
app.add_typer(alerts)
app.add_typer(breaker)
app.add_typer(ledger)
app.add_typer(slas)
