"""The DAGs of the smoke test, beside the demo's."""

from __future__ import annotations

FATES = """
    import os, signal
    from datetime import timedelta

    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowSkipException
    from airflow_dataops import metrics

    DUE = {"type": "after_run_start", "minutes": 0.01}
    SLAS = [
        {"name": "soon", "kind": "task", "task_id": "failing", "due": DUE, "run_types": ["manual"]},
    ]

    with DAG(
        "smoke_fates", tags=["sla", "tier:gold"], default_args={"owner": "finance", "slas": SLAS}
    ):

        @task
        def fine():
            metrics.count("orders.loaded", 42, tags={"country": "de"})

        @task
        def failing():
            raise ValueError("on purpose")

        @task(retries=1, retry_delay=timedelta(seconds=0))
        def killed_once(ti=None):
            if ti.try_number == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        @task
        def skipping():
            raise AirflowSkipException("on purpose")

        fine() >> EmptyOperator(task_id="empty")
        failing() >> EmptyOperator(task_id="behind")
        killed_once()
        skipping() >> EmptyOperator(task_id="skipped")
"""

SHOP = """
    from airflow_dataops import load_dags

    # An airflow dag of few tasks; sources of January are stale by now.
    load_dags(
        "manifests", globals(), conn_id="warehouse", freshness="skip", granularity="layer"
    )
"""

LOAD = """
    from airflow.sdk import DAG
    from airflow_dataops import Gate, LoadPartition, load_task_group

    with DAG("smoke_load"):
        load_task_group(
            "checked",
            target="smoke.checked",
            conn_id="smoke_postgres",
            verb=LoadPartition(values={"day": "{{ ds }}"}),
            sql="select id, day, amount from smoke.feed where day = '{{ ds }}'",
            gates=[Gate(name="paid", condition="amount >= 0")],
            min_rows=1,
        )
"""

MONITOR = """
    from airflow_dataops import sla_monitor_dag

    # An airflow dag.
    dag = sla_monitor_dag("smoke_monitor", conn_id="airflow_api", poll_seconds=3)
"""

RECEIVER = """
import os


class Receiver:
    def send(self, message):
        out = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(out, f"{{message.action}} {{message.title}}\\n".encode())
        os.close(out)
"""
