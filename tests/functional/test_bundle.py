"""The bundle of manifests under Airflow's own processes: import errors, deploys during runs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from tests.host.manifests import manifest, model, write
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from pathlib import Path

    from tools.airflow_answers import DagRun

SECONDS = 120
SLOW = "select sum(hash(a.range + b.range)) % 7 as id from range(40000) a, range(50000) b"


def put(folder: Path, project: str, *answers: int, slow: bool = False) -> None:
    """A chain of three models; the first may take seconds, the others say which deploy ran."""
    first = {"compiled_code": SLOW} if slow else {}
    nodes = [model("first", project=project, schema=project, **first)]
    for name, parent in (("second", "first"), ("third", "second")):
        code = f"select {answers[0]} as id"
        nodes.append(model(name, parent, project=project, schema=project, compiled_code=code))
    write(folder / project / "manifest.json", manifest(*nodes, project=project))


def settings(folder: Path) -> Settings:
    config = {
        "name": "manifests",
        "classpath": "airflow_dataops.dag_factory.bundle.ManifestFolderBundle",
        "kwargs": {
            "folder": str(folder / "manifests"),
            "conn_id": "warehouse",
            "arguments": {"schedule": None, "default_args": {"retries": 0}},
            "versions_folder": str(folder / "kept"),
            "refresh_interval": 2,
        },
    }
    environment = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([config]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(
            {"conn_type": "duckdb", "host": str(folder / "wh.duckdb")}
        ),
    }
    dags = folder / "dags"
    dags.mkdir()
    return Settings(
        home=folder / "home",
        dags_folder=dags,
        parse_seconds=2,
        scheduled=False,
        environment=environment,
    )


def wait_for_version(airflow: LocalAirflow, dag_id: str, other_than: str | None) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        version = airflow.api.dag(dag_id)["bundle_version"]
        if version and version != other_than:
            return str(version)
        time.sleep(0.3)
    raise AssertionError(f"{dag_id} is still in version {other_than}")


def wait_until_running(airflow: LocalAirflow, run: DagRun) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        tasks = airflow.api.task_instances(run.dag_id, run.run_id)
        if any(task.task_id == "first" and task.state == "running" for task in tasks):
            return
        time.sleep(0.1)
    raise AssertionError("the first task never ran")


def answers(folder: Path) -> set[int]:
    with duckdb.connect(str(folder / "wh.duckdb"), read_only=True) as connection:
        tables = connection.sql(
            "select id from wh.shop.second union all select id from wh.shop.third"
        )
        return {row[0] for row in tables.fetchall()}


def test_each_manifest_stands_alone_and_a_run_keeps_its_version(tmp_path: Path) -> None:
    """A deploy lands while the first task runs: the others run the old SQL, the next run the new.

    The tasks are the same in both deploys, only their SQL differs.
    """
    manifests = tmp_path / "manifests"
    put(manifests, "shop", 1, slow=True)
    put(manifests, "crm", 1)
    write(manifests / "bad.json", '{"results": []}')
    with LocalAirflow(settings(tmp_path)) as airflow:
        airflow.api.wait_for_dags(["shop", "crm"], SECONDS, airflow.check)
        assert airflow.api.dag_ids() == {"shop", "crm"}
        (error,) = airflow.api.import_errors()
        assert "bad_" in error.filename
        assert "bad.json" in error.stack_trace

        old = wait_for_version(airflow, "shop", None)
        run = airflow.api.trigger("shop", logical_date=datetime(2026, 1, 5, tzinfo=UTC))
        wait_until_running(airflow, run)
        put(manifests, "shop", 2)
        wait_for_version(airflow, "shop", old)
        states = {
            task.task_id: task.state for task in airflow.api.task_instances(run.dag_id, run.run_id)
        }
        assert states["first"] == "running", "the deploy came too late for the proof"
        run = airflow.api.wait_for_run(run, SECONDS, check=airflow.check)
        assert run.state == "success"
        assert answers(tmp_path) == {1}

        run = airflow.api.trigger("shop", logical_date=datetime(2026, 1, 6, tzinfo=UTC))
        run = airflow.api.wait_for_run(run, SECONDS, check=airflow.check)
        assert run.state == "success"
        assert answers(tmp_path) == {2}
