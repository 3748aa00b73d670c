"""`sla-tracker`: are SLAs kept, now and over time?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_dataops.cli import health_options as options
from airflow_dataops.cli.health_files import put, read_config, run_app, schema_text
from airflow_dataops.cli.keeping import AIRFLOW
from airflow_dataops.cli.sla_rounds import check_slas
from airflow_dataops.cli.watching import watch
from airflow_dataops.core.health.rendering import Format
from airflow_dataops.core.health.sla_config import SlaConfig
from airflow_dataops.core.health.sla_report import SlaReport, sla_document
from airflow_dataops.core.health.verdict import UNCHECKED, Verdict, exit_code
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def sla_tracker(
    config: options.Config = None,
    report: Annotated[
        bool, typer.Option("--report", help="Add compliance over time, budgets, suggestions.")
    ] = False,
    days: Annotated[int | None, typer.Option(min=1, help="How far back a report goes.")] = None,
    monitor: Annotated[bool, typer.Option("--monitor", help="Check again and again.")] = False,
    interval: options.Interval = 300,
    poll: Annotated[
        float, typer.Option(min=0.5, help="With --monitor: seconds between two looks at Airflow.")
    ] = 10,
    output: options.Output = None,
    format_: options.As = None,
    conn_id: options.ConnId = None,
    project: options.Project = None,
    location: options.Location = None,
    ledger: options.Ledger = None,
    url: options.Url = None,
    schema: options.Schema = False,
) -> None:
    """Check SLAs of pipelines and tables.

    With --monitor it also watches the runs of all DAGs that have SLAs, keeps misses in the
    ledger and sends alerts; it needs no config for that.

    Exits 0 when all are kept, 1 with a violation, 2 when it was misused (a wrong config too),
    3 when something could not be checked, or nothing was.
    """
    if schema:
        typer.echo(schema_text(SlaConfig), nl=False)
        return
    if config is None and not monitor and not (report and ledger):
        raise ConfigError(
            "Which SLAs? Give --config FILE, or for those of DAGs --monitor, or --report --ledger."
        )
    asked = SlaConfig() if config is None else read_config(config, SlaConfig)
    given = {
        "conn_id": conn_id,
        "project": project,
        "location": location,
        "ledger": ledger,
        "report_days": days,
    }
    asked = options.joined(asked, given)

    def check() -> SlaReport:
        found = check_slas(asked, url, over_time=report)
        if output is not None or not monitor:
            put(sla_document(found), found, output, format_, default=Format.TEXT)
        return found

    if monitor:
        asked = options.joined(asked, {"ledger": asked.ledger or AIRFLOW})
        _monitor(asked, check, interval if config else min(interval, poll), url, poll)
        return
    found = check()
    raise typer.Exit(UNCHECKED if found.is_empty else exit_code(found.checks))


def _monitor(
    asked: SlaConfig, check: Callable[[], SlaReport], interval: float, url: str | None, poll: float
) -> None:
    """Check again and again, watch the runs of DAGs with SLAs meanwhile, and send alerts."""
    from airflow_dataops.cli.sla_watch import Monitor

    monitor = Monitor(asked, url, poll)

    def round_() -> tuple[datetime, tuple[Verdict, ...]]:
        found = check()
        return found.timestamp.astimezone(UTC), (*found.checks, *monitor.open_misses())

    with monitor.running():
        watch(round_, interval)


def run() -> None:
    """Run the command line."""
    run_app("sla-tracker", lambda: app)
