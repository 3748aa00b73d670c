"""The DAG that watches the SLAs of all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk import DAG

from airflow_dataops.adapters.watch.loop import POLL_SECONDS
from airflow_dataops.core.arguments import refuse_unknown, spelled_out
from airflow_dataops.dag_factory.arguments import DagArguments, names_of
from airflow_dataops.operators.sla_monitor import SlaMonitorOperator

if TYPE_CHECKING:
    from airflow_dataops.core.arguments import Duration


@spelled_out(DagArguments)
def sla_monitor_dag(
    dag_id: str = "sla_monitor",
    *,
    conn_id: str | None = None,
    poll_seconds: Duration = POLL_SECONDS,
    run_for: Duration = timedelta(hours=1),
    **dag_options: Unpack[DagArguments],
) -> DAG:
    """Return a DAG with one task that watches SLAs and sends alerts, without end.

    It waits in the triggerer, run after run; the ledger remembers what it has seen, so a
    triggerer that dies, or a run that is marked as failed, loses nothing.

    Args:
        conn_id: the connection of Airflow's REST API; see `hooks.sla_watch.open_watch`.
        poll_seconds: seconds, or a timedelta, between two looks at Airflow; a miss is told
            within that time.
        run_for: how long one run takes: a timedelta, or seconds.
        dag_options: of Airflow's `DAG`.
    """
    refuse_unknown(f"sla_monitor_dag {dag_id!r}", dag_options, names_of(DagArguments))
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
    options.update(dag_options)
    with DAG(dag_id, **options) as dag:
        SlaMonitorOperator(
            task_id="watch", conn_id=conn_id, poll_seconds=poll_seconds, run_for=run_for
        )
    return dag
