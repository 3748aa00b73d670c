"""The DAG that watches the SLAs of all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_dataops.adapters.watch.pace import POLL_SECONDS
from airflow_dataops.operators.sla_monitor import SlaMonitorOperator


def sla_monitor_dag(
    dag_id: str = "sla_monitor",
    *,
    conn_id: str | None = None,
    poll_seconds: float = POLL_SECONDS,
    run_for: timedelta = timedelta(hours=1),
    **dag_options: Any,
) -> DAG:
    """Return a DAG with one task that watches SLAs and sends alerts, without end.

    It waits in the triggerer, run after run; the ledger remembers what it has seen, so a
    triggerer that dies, or a run that is marked as failed, loses nothing.

    Args:
        conn_id: the connection of Airflow's REST API; see `hooks.sla_watch.open_watch`.
        poll_seconds: between two looks at Airflow; a miss is told within that time.
        run_for: how long one run takes.
        dag_options: of Airflow's `DAG`.
    """
    options: dict[str, Any] = {
        "schedule": "@continuous",
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        "max_active_runs": 1,
        "catchup": False,
        "description": "Watches SLAs and sends alerts",
        "tags": ["monitoring"],
        # So that a wrong setting does not make a failed run each second.
        "default_args": {"retries": 100, "retry_delay": timedelta(minutes=1)},
    }
    with DAG(dag_id, **options | dag_options) as dag:
        SlaMonitorOperator(
            task_id="watch", conn_id=conn_id, poll_seconds=poll_seconds, run_for=run_for
        )
    return dag
