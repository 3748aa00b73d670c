"""`pipeline-health-monitor`: is the data there, fresh, whole? Did runs fail, what did it cost?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import typer

from airflow_dataops.cli import health_options as options
from airflow_dataops.cli import health_whole
from airflow_dataops.cli.cost_document import cost_document
from airflow_dataops.cli.health_files import put, read_config, run_app, schema_text
from airflow_dataops.cli.health_whole import read_report
from airflow_dataops.cli.keeping import keep, ledger_at, tell
from airflow_dataops.cli.watching import progress, watch
from airflow_dataops.core.decoding import decode
from airflow_dataops.core.health.config import Freshness, HealthConfig, TableHealth
from airflow_dataops.core.health.monitor import check_all, count_checks
from airflow_dataops.core.health.rendering import Document, Format
from airflow_dataops.core.health.verdict import HealthReport, Verdict, exit_code, percent, report
from airflow_dataops.errors import ConfigError, DataOpsError, RetryableError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def health_monitor(
    config: options.Config = None,
    table: options.Table = None,
    check_freshness: options.CheckFreshness = False,
    timestamp_column: options.TimestampColumn = None,
    max_age_hours: options.MaxAge = 24,
    check_failures: options.CheckFailures = False,
    cost_report: options.CostReport = False,
    hours: options.Hours = None,
    url: options.Url = None,
    conn_id: options.ConnId = None,
    project: options.Project = None,
    location: options.Location = None,
    ledger: options.Ledger = None,
    output: options.Output = None,
    format_: options.As = None,
    watch_: options.Watch = False,
    interval: options.Interval = 300,
    schema: options.Schema = False,
) -> None:
    """Check tables, runs and costs.

    Exits 0 when all is well, 1 with a violation, 2 when it was misused (a wrong config too),
    3 when something could not be checked.
    """
    if schema:
        typer.echo(schema_text(HealthConfig), nl=False)
        return
    if config is not None:
        asked = read_config(config, HealthConfig)
    elif table or check_failures or cost_report:
        asked = _tables(table or [], check_freshness, timestamp_column, max_age_hours)
    else:
        raise ConfigError("What to check? Give --config FILE, --table NAME or --cost-report.")
    given = {
        "conn_id": conn_id,
        "project": project,
        "location": location,
        "ledger": ledger,
        "check_failures": check_failures or None,
        "failure_lookback_hours": hours,
        "cost_lookback_hours": hours,
    }
    asked = options.joined(asked, given)
    if cost_report:
        _put_costs(asked, output, format_)
    elif watch_:
        watch(lambda: _round(asked, url, output, format_), interval)
    else:
        found = check_once(asked, url)
        put(_document(found), found, output, format_, default=Format.TEXT)
        raise typer.Exit(exit_code(found.checks))


def _round(
    config: HealthConfig, url: str | None, output: Path | None, kind: Format | None
) -> tuple[datetime, tuple[Verdict, ...]]:
    found = check_once(config, url)
    if output is not None:
        put(_document(found), found, output, kind, default=Format.TEXT)
    return found.timestamp, found.checks


def check_once(config: HealthConfig, url: str | None = None) -> HealthReport:
    """Make all the checks of a config; keep and tell what a ledger is named for.

    Args:
        url: Airflow's api-server.
    """
    now = datetime.now(UTC)
    ledger = None if config.ledger is None else ledger_at(config.ledger)

    def open_(conn_id: str | None) -> AbstractContextManager[SqlRunner]:
        from airflow_dataops.hooks.warehouses import open_warehouse

        return open_warehouse(conn_id, project=config.project, location=config.location)

    with progress(count_checks(config.tables), "Checking") as step:
        verdicts = check_all(config.tables, open_, conn_id=config.conn_id, now=now, progress=step)
    if config.check_failures:
        verdicts.append(health_whole.check_failures(config, url, now))
    if config.check_costs:
        verdicts.append(health_whole.check_costs(config, now, ledger))
    if ledger is not None:
        keep(ledger, verdicts, now)
        tell(ledger, verdicts, now, config.max_ages)
    return report(verdicts, now)


def _put_costs(config: HealthConfig, output: Path | None, kind: Format | None) -> None:
    ledger = None if config.ledger is None else ledger_at(config.ledger)
    try:
        found = read_report(config, config.cost_lookback_hours, datetime.now(UTC), ledger)
    except DataOpsError:
        raise
    except Exception as error:  # drivers and networks
        raise RetryableError(f"Costs cannot be read: {type(error).__name__}: {error}") from error
    put(cost_document(found), found, output, kind, default=Format.JSON)


def _tables(
    tables: list[str], freshness: bool, timestamp_column: str | None, max_age_hours: float
) -> HealthConfig:
    if freshness and timestamp_column is None:
        raise ConfigError("--check-freshness needs --timestamp-column, the column of times.")
    limits = None
    if freshness:
        limits = Freshness(timestamp_column=timestamp_column or "", max_age_hours=max_age_hours)
    wanted = tuple(
        TableHealth(table_id=id_, freshness=limits, check_availability=True) for id_ in tables
    )
    # Once more as from a file: names are checked, and wrong ones told.
    return decode(msgspec.json.encode(HealthConfig(tables=wanted)), HealthConfig, source="--table")


def _document(found: HealthReport) -> Document:
    total = found.summary
    facts = {
        "Checked at": f"{found.timestamp:%Y-%m-%d %H:%M:%S} UTC",
        "Checks": f"{total.total_checks}",
        "Passed": f"{total.passed}",
        "Failed": f"{total.failed}",
        "Errors": f"{total.errors}",
        "Warnings": f"{total.warnings}",
        "Health score": percent(total.health_score),
    }
    return Document(title="Pipeline health", facts=facts, verdicts=found.checks)


def run() -> None:
    """Run the command line."""
    run_app("pipeline-health-monitor", lambda: app)
