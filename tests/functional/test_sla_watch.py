"""The reconciler over the REST API of a real Airflow: a few fates, and a thousand runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.adapters.watch.reader import AirflowReader
from airflow_dataops.adapters.watch.reconciler import Reconciler
from airflow_dataops.core.alerts.config import AlertsConfig
from airflow_dataops.hooks.alerts import SystemClock
from tests.functional.sla_day import due, sla

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun

EARLY = 6
ALL = ["scheduled", "manual", "backfill", "asset_triggered"]
SOURCE = """
import json, os, signal, time
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup, task

SLAS = json.loads({slas!r})

with DAG("sla_fates", default_args={{"slas": SLAS}}, tags=["sla"]) as dag:

    @task(map_index_template="{{{{ number }}}}")
    def mapped(number):
        time.sleep(number)

    @task
    def failing():
        raise ValueError("on purpose")

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    mapped.expand(number=[0, 9])
    failing() >> EmptyOperator(task_id="behind")
    killed()
    EmptyOperator(task_id="quick")
    with TaskGroup("g"):
        EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")
"""
MANY = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

TYPES = ["manual"]
DUE = {"type": "after_run_start", "minutes": 30}
SLAS = [
    {"name": "s", "kind": "task", "task_id": f"t{n}", "due": DUE, "run_types": TYPES}
    for n in range(3)
]
SLAS += [{"name": "s", "kind": "dag", "due": DUE, "run_types": TYPES}]
for number in range(20):
    with DAG(
        f"many_{number:02d}",
        default_args={"slas": SLAS},
        tags=["sla"],
        is_paused_upon_creation=True,
    ) as dag:
        for n in range(10):
            EmptyOperator(task_id=f"t{n}")
    globals()[f"many_{number:02d}"] = dag
"""
MAKE_RUNS = """
from datetime import datetime, timedelta, timezone
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from airflow.utils.state import DagRunState
from sqlalchemy import text

now = datetime.now(timezone.utc)
with create_session() as session:
    for number in range(20):
        dag = SerializedDagModel.get_dag(f"many_{number:02d}", session=session)
        for run in range(50):
            dag.create_dagrun(
                run_id=f"r{run}", run_type=DagRunType.MANUAL, state=DagRunState.RUNNING,
                logical_date=None, data_interval=None, run_after=now, start_date=now,
                triggered_by=DagRunTriggeredByType.TEST, session=session,
            )
    running = (
        "update task_instance set state = 'running', start_date = :now "
        "where dag_id like :many"
    )
    session.execute(text(running), {"now": now, "many": "many%"})
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerStore]:
    found = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield found
    found.close()


class Ahead(SystemClock):
    """Goes before the real time by so much."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def watcher(
    airflow: StartedAirflow, ledger: LedgerStore, clock: SystemClock | None = None
) -> Reconciler:
    local = airflow.airflow
    login = {"AIRFLOW_API_USERNAME": "admin", "AIRFLOW_API_PASSWORD": local.password}
    clock = clock or SystemClock()
    service = AlertService(ledger.database, AlertsConfig(), clock)
    return Reconciler(AirflowReader(local.url, login), ledger, service, clock)


def test_ten_cases_over_rest(airflow: StartedAirflow, ledger: LedgerStore) -> None:
    """Late, failed, killed, blocked, in time; of tasks, a mapped one, a group, and the DAG."""
    early = due("after_run_start", datetime.now(UTC), EARLY)
    late = due("after_interval", datetime.now(UTC), 600)
    subjects = {"mapped": "task", "failing": "task", "behind": "task", "killed": "task"}
    subjects |= {"quick": "task", "g": "task_group", "": "dag"}
    slas = [
        sla(name, kind, task_id, when, run_types=ALL)
        for task_id, kind in subjects.items()
        for name, when in (("early", early), ("late", late))
    ]
    slas.append(sla("only scheduled", "dag", "", early))
    for each in slas:
        del each["on_miss"]
    airflow.drop("sla_fates.py", SOURCE.format(slas=json.dumps(slas)), "sla_fates")
    watch = watcher(airflow, ledger)
    watch.run_once()
    run = airflow.run("sla_fates")
    misses = [miss for _ in range(2) for miss in watch.run_once().misses]
    assert run.state == "failed"
    found = Counter((miss.subject.task_id or "", miss.sla) for miss in misses)
    assert found == Counter((task_id, "early") for task_id in late_ones(airflow, subjects, run))
    blocked = {miss.subject.task_id: miss.upstream for miss in misses}
    assert blocked["behind"] == blocked[None] == "failing"
    left = {miss.subject.task_id for miss in ledger.open_misses()}
    assert left == {"failing", "behind", "killed", None}


def late_ones(airflow: StartedAirflow, subjects: dict[str, str], run: DagRun) -> set[str]:
    """By the recorded times: not done `EARLY` seconds after the start of the run."""
    path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}"
    start = datetime.fromisoformat(airflow.api.get(path)["start_date"])
    late = {""}
    for each in airflow.api.get(f"{path}/taskInstances")["task_instances"]:
        ended = datetime.fromisoformat(each["end_date"])
        if each["state"] != "success" or ended > start + timedelta(seconds=EARLY):
            late.add(each["task_id"].split(".")[0])
    assert late >= {"mapped", "failing", "behind", "killed"}
    return late & set(subjects)


@pytest.mark.slow
def test_a_pass_over_a_thousand_runs(airflow: StartedAirflow, ledger: LedgerStore) -> None:
    """20 DAGs of four SLAs, 50 open runs each, 10,000 task instances in Airflow's database."""
    airflow.drop("many.py", MANY, *(f"many_{n:02d}" for n in range(20)))
    subprocess.run(
        [sys.executable, "-c", MAKE_RUNS], env=airflow.airflow.environment, check=True, timeout=300
    )
    clock = Ahead()
    watch = watcher(airflow, ledger, clock)
    for name, looked in (("first", True), ("between", False), ("due", True)):
        clock.ahead = timedelta(minutes=40) if name == "due" else timedelta()
        began = time.monotonic()
        found = watch.run_once()
        seconds = time.monotonic() - began
        told = f"{found.requests} requests, {len(found.misses)} misses"
        sys.stdout.write(f"\n{name}: {seconds:.1f} s, {told}\n")
        assert found.runs >= 1000
        assert (found.looked >= 1000) is looked
        assert found.requests < 100
        # Thousands of misses at once take as long as the ledger takes to keep them.
        assert found.misses or seconds < 5
