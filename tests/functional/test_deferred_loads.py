"""A load that waits in a real triggerer while Snowflake's emulator publishes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulators import snowflake
from tests.warehouses import Warehouse, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun

DAG = """
    from datetime import datetime
    from airflow.sdk import DAG
    from airflow_dataops import MergeOperator

    with DAG("{dag_id}", schedule=None, start_date=datetime(2026, 1, 1)):
        MergeOperator(
            task_id="merge",
            target='"{schema}"."items"',
            conn_id="deferred_snowflake",
            table='"{schema}"."feed"',
            keys=["id"],
            deferrable=True,
            poll_interval=0.5,
        )
"""
COLUMNS = {"id": "int", "name": "text"}
OLD, NEW = [(1, "a"), (2, "b")], [(1, "a"), (2, "B"), (3, "c")]


@pytest.fixture(scope="module")
def connected(airflow: StartedAirflow) -> None:
    fields = json.loads(snowflake.snowflake_connection())
    fields["extra"] = json.dumps(fields["extra"])
    airflow.api.add_connection("deferred_snowflake", fields.pop("conn_type"), **fields)


@pytest.fixture
def warehouse(connected: None) -> Iterator[Warehouse]:
    with open_warehouse("snowflake") as opened:
        opened.table("items", COLUMNS, OLD)
        opened.table("feed", COLUMNS, NEW[1:])
        yield opened


def begin(airflow: StartedAirflow, warehouse: Warehouse, dag_id: str) -> DagRun:
    """Start a run and wait until the triggerer has its task."""
    source = DAG.format(dag_id=dag_id, schema=warehouse.schema)
    airflow.drop(f"{dag_id}.py", source, dag_id)
    run = airflow.api.trigger(dag_id)
    deadline = time.monotonic() + 120
    lines = log(airflow, run)
    while not any("Waiting for query" in line for line in lines):
        assert time.monotonic() < deadline, lines
        time.sleep(0.5)
        lines = log(airflow, run)
    assert airflow.tasks(run)["merge"].state == "deferred"
    return run


def log(airflow: StartedAirflow, run: DagRun) -> list[str]:
    task = airflow.tasks(run)["merge"]
    return airflow.api.task_log(task) if task.state == "deferred" else [str(task.state)]


def left(warehouse: Warehouse) -> set[str]:
    return {name for name in warehouse.tables() if "__stg_" in name}


def test_a_deferred_load_ends_with_its_publication(
    airflow: StartedAirflow, warehouse: Warehouse
) -> None:
    with snowflake.held():
        run = begin(airflow, warehouse, "deferred_load")
        assert warehouse.rows(warehouse.relation("items")) == OLD
        assert left(warehouse)
    assert airflow.api.wait_for_run(run, 90).state == "success"
    assert warehouse.rows(warehouse.relation("items")) == NEW
    assert not left(warehouse)
    told: Any = airflow.api.xcom(airflow.tasks(run)["merge"])
    assert (told["staged"], told["written"]) == (2, 2)


def test_who_marks_a_deferred_load_as_failed_stops_its_publication(
    airflow: StartedAirflow, warehouse: Warehouse
) -> None:
    with snowflake.held():
        run = begin(airflow, warehouse, "stopped_load")
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/merge"
        airflow.api.request("PATCH", path, body={"new_state": "failed"})
        deadline = time.monotonic() + 60
        while left(warehouse) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not left(warehouse), log(airflow, run)
    assert warehouse.rows(warehouse.relation("items")) == OLD
    airflow.api.clear(run)
    assert airflow.api.wait_for_run(run, 90).state == "success"
    assert warehouse.rows(warehouse.relation("items")) == NEW
