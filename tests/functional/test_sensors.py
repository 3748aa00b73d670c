"""A thousand sensors of one connection, in Airflow's own scheduler and triggerer."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from tests.functional import metadata
from tests.functional.started import StartedAirflow
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STATEMENT = re.compile(r"^.*LOG:  (?:statement|execute [^:]*): ", re.M)
DAGS, SENSORS = 50, 20
ALL = DAGS * SENSORS
DAG = """
    from datetime import datetime
    from airflow.sdk import DAG
    from airflow_dataops import TableFreshSensor

    for n in range({dags}):
        with DAG(f"waiting_{{n}}", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
            for m in range({sensors}):
                TableFreshSensor(
                    task_id=f"fresh_{{m}}",
                    table=f"t{{n * {sensors} + m}}",
                    conn_id="watched",
                    column="at",
                    max_age=3600,
                    poke_interval=60,
                )
        globals()[dag.dag_id] = dag
"""
LATE = """
    from datetime import datetime
    from airflow.sdk import DAG
    from airflow_dataops import PartitionCompleteSensor

    with DAG("late", schedule=None, start_date=datetime(2026, 1, 1)):
        of_day = {"table": "t0", "conn_id": "watched", "column": "at", "poke_interval": 2}
        PartitionCompleteSensor(task_id="there", day="2026-01-0{{ 1 + 1 }}", **of_day)
        of_day["day"] = "{{ dag_run.run_after.date() }}"
        PartitionCompleteSensor(task_id="skipped", timeout=5, soft_fail=True, **of_day)
        PartitionCompleteSensor(task_id="failed", timeout=5, **of_day)
        PartitionCompleteSensor(task_id="wrong", **of_day | {"column": "nothing"})
        PartitionCompleteSensor(task_id="missing", missing="fail", **of_day | {"table": "none"})
"""


@pytest.fixture(scope="module")
def watched() -> str:
    """The address of a database with a thousand old tables."""
    uri = metadata.database("watched")
    with psycopg.connect(uri) as session:
        for n in range(ALL):
            session.execute(f"create table t{n} (at timestamptz)".encode())
            session.execute(f"insert into t{n} values ('2026-01-02 10:00+00')".encode())
    return uri


@pytest.fixture(scope="module")
def airflow(watched: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedAirflow]:
    folder = tmp_path_factory.mktemp("sensors")
    (folder / "dags").mkdir()
    server = psycopg.conninfo.conninfo_to_dict(watched)
    connection = {
        "conn_type": "postgres",
        "login": server["user"],
        "schema": server["dbname"],
        "extra": {"host": server["host"], "options": "-c log_statement=all"},
    }
    settings = Settings(
        home=folder / "home",
        dags_folder=folder / "dags",
        parse_seconds=30,
        scheduled=False,
        environment={
            "AIRFLOW_CONN_WATCHED": json.dumps(connection),
            "AIRFLOW__TRIGGERER__CAPACITY": str(2 * ALL),
            **metadata.environment(metadata.database("sensors_airflow")),
        },
    )
    with LocalAirflow(settings) as running:
        yield StartedAirflow(running, folder / "dags")


def statements() -> int:
    """Count what Postgres itself has written of the statements of the sensors' sessions."""
    with psycopg.connect(metadata.address("postgres"), autocommit=True) as session:
        [folder] = session.execute("show data_directory").fetchone() or ()
    return len(_STATEMENT.findall((Path(folder) / "log").read_text()))


def cpu(airflow: StartedAirflow, component: str) -> float:
    """CPU seconds of a component with all that it started."""
    root = psutil.Process(airflow.airflow.pids[component])
    times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(2)


def looks(uri: str) -> int:
    with psycopg.connect(uri, autocommit=True) as session:
        found = session.execute("select count(*) from pg_stat_user_tables where seq_scan > 0")
        return int(found.fetchone()[0])  # type: ignore[index]


def test_what_becomes_of_sensors_in_a_real_triggerer(airflow: StartedAirflow) -> None:
    airflow.drop("late.py", LATE, "late")
    run = airflow.run("late")
    tasks = airflow.tasks(run)
    assert {name: task.state for name, task in tasks.items()} == {
        "there": "success",
        "skipped": "skipped",
        "failed": "failed",
        "wrong": "failed",
        "missing": "failed",
    }
    assert [tasks[name].pid for name in ("there", "skipped")] == [None, None]
    assert "There are 1 rows on 2026-01-02" in airflow.api.xcom(tasks["there"])
    [log] = (airflow.airflow.settings.home / "logs").glob(
        "dag_id=late/*/task_id=failed/attempt=1.log"
    )
    assert "It waited for 0:00:05. There are 0 rows on" in log.read_text()


@pytest.mark.timeout(2700)
def test_a_thousand_sensors_take_a_few_queries_and_no_worker(
    airflow: StartedAirflow, watched: str, record_property: Callable[[str, object], None]
) -> None:
    names = [f"waiting_{n}" for n in range(DAGS)]
    airflow.drop("waiting.py", DAG.format(dags=DAGS, sensors=SENSORS), *names)
    runs = [airflow.api.trigger(name) for name in names]
    wait_for(lambda: looks(watched) == ALL, 1500)
    time.sleep(90)
    before, used, began = statements(), cpu(airflow, "triggerer"), time.monotonic()
    time.sleep(180)
    minutes = (time.monotonic() - began) / 60
    a_minute = (statements() - before) / minutes
    load = (cpu(airflow, "triggerer") - used) / minutes / 60
    record_property("queries_a_minute", a_minute)
    record_property("triggerer_cpu_share", load)
    assert 0 < a_minute <= 20
    with psycopg.connect(watched) as session:
        for n in range(ALL):
            session.execute(f"insert into t{n} values (now())".encode())
    for run in runs:
        assert airflow.api.wait_for_run(run, 600, check=airflow.airflow.check).state == "success"
    assert {task.pid for run in runs for task in airflow.tasks(run).values()} == {None}
