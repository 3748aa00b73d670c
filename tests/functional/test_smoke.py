"""What `make test` shows of a real Airflow: all that the slow tests prove at length, once.

One Airflow, whose DAGs are there before it starts and whose runs all go on at once: the demo's
pipeline, whose tables are dbt's; a load with a gate; every fate of a task in the metrics and in
the ledger as in Airflow's database; and a missed SLA that becomes an alert.
"""

from __future__ import annotations

import shutil
import textwrap
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent
from tests.functional import metadata, smoke_dags
from tests.functional.fates import database_says
from tests.functional.started import StartedAirflow
from tests.postgres import open_postgres, postgres_uri
from tests.receivers.datagrams import StatsdReceiver
from tools.airflow_settings import Settings, free_port
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.airflow_answers import DagRun

ROOT = Path(__file__).parents[2]
DAY = datetime(2026, 1, 5, tzinfo=UTC)
SECONDS = 300
DATABASE = "smoke"
ALERTS = """
routes:
  - receivers: ["import:smoke_receiver.Receiver"]
    group: {by: none, wait_seconds: 0.01}
"""
FEED = """
    create schema smoke;
    create table smoke.checked (id integer, day date, amount integer);
    create table smoke.feed as
    select 1 as id, date '2026-01-05' as day, 10 as amount
    union all select 2, date '2026-01-05', 20
    union all select 3, date '2026-01-06', -1
"""


@dataclass(frozen=True)
class Smoke:
    """A running Airflow, and its runs, all triggered at once."""

    airflow: StartedAirflow
    folder: Path
    statsd: StatsdReceiver
    runs: dict[str, DagRun]

    def ended(self, name: str) -> DagRun:
        """Wait for the end of a run."""
        airflow = self.airflow.airflow
        return airflow.api.wait_for_run(self.runs[name], SECONDS, check=airflow.check)

    def states(self, name: str) -> dict[str, str | None]:
        tasks = self.airflow.tasks(self.ended(name))
        return {task_id: task.state for task_id, task in tasks.items()}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smoke]:
    folder = tmp_path_factory.mktemp("smoke")
    with StatsdReceiver() as statsd:
        settings = prepared(folder, statsd)
        with LocalAirflow(settings) as running:
            started = StartedAirflow(running, settings.dags_folder)
            connect(started, folder)
            yield Smoke(started, folder, statsd, trigger_all(started))


def prepared(folder: Path, statsd: StatsdReceiver) -> Settings:
    """Write the DAGs and the configuration of the Airflow."""
    shutil.copytree(ROOT / "dags" / "manifests", folder / "dags" / "manifests")
    for name in ("shop_source.py", "shop_generator.py"):
        shutil.copy(ROOT / "dags" / name, folder / "dags")
    dags = {
        "shop.py": smoke_dags.SHOP,
        "fates.py": smoke_dags.FATES,
        "load.py": smoke_dags.LOAD,
        "monitor.py": smoke_dags.MONITOR,
    }
    for name, source in dags.items():
        (folder / "dags" / name).write_text(textwrap.dedent(source))
    (folder / "modules").mkdir()
    receiver = smoke_dags.RECEIVER.format(file=str(folder / "alerts"))
    (folder / "modules" / "smoke_receiver.py").write_text(receiver)
    (folder / "alerts.yaml").write_text(ALERTS)
    return Settings(
        home=folder / "home",
        dags_folder=folder / "dags",
        parallelism=3,
        port=free_port(),
        parse_seconds=300,
        scheduled=False,
        environment={
            "PYTHONPATH": str(folder / "modules"),
            "AIRFLOW__DATAOPS__METRICS_SINKS": statsd.address,
            "AIRFLOW__DATAOPS__METRICS_EXIT_SECONDS": "10",
            "AIRFLOW__DATAOPS__ALERTS_CONFIG": str(folder / "alerts.yaml"),
            **metadata.environment(metadata.database(DATABASE)),
        },
    )


def connect(airflow: StartedAirflow, folder: Path) -> None:
    """Add the connections of the DAGs, and the tables of the load."""
    add = airflow.api.add_connection
    add("warehouse", "duckdb", host=str(folder / "shop.duckdb"))
    host = postgres_uri().partition("host=")[2]
    add("smoke_postgres", "postgres", login="postgres", schema="postgres", host=host)
    local = airflow.airflow
    add("airflow_api", "http", host=local.url, login="admin", password=local.password)
    with open_postgres() as session:
        session.connection.execute("drop schema if exists smoke cascade")
        session.connection.execute(FEED)


def trigger_all(airflow: StartedAirflow) -> dict[str, DagRun]:
    dags = ("smoke_monitor", "smoke_fates", "smoke_load", "shop_source", "shop")
    airflow.api.wait_for_dags(dags, SECONDS, airflow.airflow.check)
    runs = {name: airflow.api.trigger(name, logical_date=DAY) for name in dags if name != "shop"}
    runs["bad day"] = airflow.api.trigger("smoke_load", logical_date=DAY.replace(day=6))
    airflow.api.wait_for_run(runs["shop_source"], SECONDS, check=airflow.airflow.check)
    return runs | {"shop": airflow.api.trigger("shop", logical_date=DAY)}


def wait_for(what: Callable[[], bool], says: str) -> None:
    until = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < until, says
        time.sleep(0.3)


def test_a_missed_sla_becomes_an_alert(smoke: Smoke) -> None:
    """The monitor's trigger asks Airflow, and sends; once for the one miss."""
    told = smoke.folder / "alerts"
    wait_for(told.exists, "no alert came")
    smoke.ended("smoke_fates")
    [line] = told.read_text().splitlines()
    assert line.startswith("trigger ")
    assert "smoke_fates" in line
    assert "failing" in line


def test_a_load_is_published_and_a_wrong_row_stops_it(smoke: Smoke) -> None:
    assert set(smoke.states("smoke_load").values()) == {"success"}
    assert smoke.states("bad day") == {
        "checked.stage": "success",
        "checked.check": "failed",
        "checked.publish": "upstream_failed",
        "checked.sweep": "success",
    }
    with open_postgres() as session:
        rows = session.fetch("select id, amount from smoke.checked order by id")
    assert rows == [(1, 10), (2, 20)]


def test_metrics_and_ledger_have_every_fate_as_airflows_database(smoke: Smoke) -> None:
    run = smoke.ended("smoke_fates")
    in_database = database_says(metadata.address(DATABASE), run.dag_id)

    def heard() -> bool:
        return smoke.statsd.numbers().total("airflow.dag_run.failure", dag=run.dag_id) == 1

    wait_for(heard, "the run's end was not counted")
    found = smoke.statsd.numbers()
    counted = {key: int(found.total(key[0], dag=run.dag_id, task=key[1])) for key in in_database}
    assert counted == dict(in_database)
    assert found.total("orders.loaded", task="fine", country="de") == 42

    store = LedgerStore(f"sqlite:///{smoke.airflow.airflow.settings.home}/dataops/ledger.db")
    try:
        wait_for(
            lambda: any(e.ended_at for e in store.read(RunEvent, dag_id=run.dag_id)),
            "the run's end is not in the ledger",
        )
        tries = store.read(TaskEvent, dag_id=run.dag_id, run_id=run.run_id)
    finally:
        store.close()
    states = sorted((each.task_id, each.try_number, each.state) for each in tries)
    assert len(states) == in_database.total()
    assert {task_id: state for task_id, _, state in states} == smoke.states("smoke_fates")
    assert [each[1] for each in states if each[0] == "killed_once"] == [1, 2]


def test_the_demos_day_succeeds(smoke: Smoke) -> None:
    assert set(smoke.states("shop").values()) == {"success"}
