"""Checks that are of no table: failures of DAG runs, and costs."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.cost.events import cost_events
from airflow_dataops.core.cost.queries import Prices, read_costs
from airflow_dataops.core.cost.report import CostReport, cost_report
from airflow_dataops.core.health.config import COSTS, FAILURES
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.errors import DataOpsError

if TYPE_CHECKING:
    from airflow_dataops.core.health.config import HealthConfig
    from airflow_dataops.core.ports import Ledger


def check_failures(config: HealthConfig, url: str | None, now: datetime) -> Verdict:
    """Tell whether more DAG runs failed than may fail."""
    from airflow_dataops.adapters.run_history import failed_runs

    since = now - timedelta(hours=config.failure_lookback_hours)
    expected = f"at most {config.max_failures} in {config.failure_lookback_hours:g} h"
    try:
        failed = failed_runs(since, dag_ids=config.dag_ids, url=url)
    except DataOpsError as error:
        return _whole("failures", FAILURES, Status.ERROR, str(error), expected=expected)
    by_dag = Counter(run.dag_id for run in failed)
    shown = ", ".join(f"{dag} {count}" for dag, count in by_dag.most_common(5))
    message = f"{len(failed)} DAG runs failed ({shown})." if failed else "No DAG run failed."
    return _whole(
        "failures",
        FAILURES,
        Status.FAIL if len(failed) > config.max_failures else Status.PASS,
        message,
        value=float(len(failed)),
        expected=expected,
        details={"runs": [{"dag_id": r.dag_id, "run_id": r.run_id} for r in failed[:100]]},
    )


def check_costs(config: HealthConfig, now: datetime, ledger: Ledger | None = None) -> Verdict:
    """Tell whether more was spent than may be; keep what each query cost."""
    limit = config.cost_threshold_usd
    expected = None if limit is None else f"at most {limit:g} USD"
    hours = config.cost_lookback_hours
    try:
        found = read_report(config, hours, now, ledger)
    except Exception as error:  # noqa: BLE001 - drivers, hooks, networks: told as it is
        message = f"{type(error).__name__}: {error}"
        return _whole("costs", COSTS, Status.ERROR, message, expected=expected)
    if not found.total_queries and not found.total_cost_usd:
        message = f"No query was found in {hours:g} h: there is nothing to judge."
        return _whole("costs", COSTS, Status.SKIP, message, expected=expected)
    over = limit is not None and found.total_cost_usd > limit
    message = (
        f"{found.total_cost_usd:,.2f} USD in {hours:g} h for {found.total_queries:,} queries, "
        f"{found.unattributed_share:.0%} of it not attributed."
    )
    details = {"most_expensive": [each.job_id for each in found.most_expensive]}
    return _whole(
        "costs",
        COSTS,
        Status.FAIL if over else Status.PASS,
        message,
        value=found.total_cost_usd,
        expected=expected,
        details=details,
    )


def read_report(
    config: HealthConfig, hours: float, now: datetime, ledger: Ledger | None = None
) -> CostReport:
    """Read what was spent in the last hours, on BigQuery or the config's connection.

    Args:
        ledger: keeps what each query cost.

    Raises:
        ConfigError: no way into the warehouse, or one that keeps no costs.
    """
    from airflow_dataops.hooks.warehouses import open_warehouse

    prices = Prices(
        per_tib=config.usd_per_tib,
        per_slot_hour=config.usd_per_slot_hour,
        per_credit=config.usd_per_credit,
    )
    place = {"project": config.project, "location": config.location}
    with open_warehouse(config.conn_id, **place) as runner:
        since = now - timedelta(hours=hours)
        queries, idle = read_costs(runner, since, prices, location=config.location or "US")
    if ledger is not None:
        ledger.write(cost_events(queries, now))
    return cost_report(queries, idle, hours=hours, at=now)


def _whole(check: str, subject: str, status: Status, message: str, **more: object) -> Verdict:
    return Verdict(check=check, table=subject, status=status, message=message, **more)  # type: ignore[arg-type]
