"""Load operators and the chain around them under a real Airflow, on DuckDB and Postgres."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.postgres import open_postgres, postgres_uri

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.functional.started import StartedAirflow

DAG = """
    from datetime import datetime
    from airflow.sdk import DAG
    from airflow_dataops import (
        Gate, LoadPartition, LoadPartitionOperator, MergeOperator, load_task_group
    )

    with DAG("{dag_id}", schedule=None, start_date=datetime(2026, 1, 1)):
        LoadPartitionOperator(
            task_id="day",
            target="sales.orders",
            conn_id="{conn_id}",
            sql="select id, day, amount from sales.feed where day = '{{{{ ds }}}}'",
            partition={{"day": "{{{{ ds }}}}"}},
        ) >> MergeOperator(
            task_id="latest",
            target="sales.latest",
            conn_id="{conn_id}",
            table="sales.feed",
            keys=["id"],
            order_by=["day"],
        ) >> load_task_group(
            "checked",
            target="sales.checked",
            conn_id="{conn_id}",
            verb=LoadPartition(values={{"day": "{{{{ ds }}}}"}}),
            sql="select id, day, amount from sales.feed where day = '{{{{ ds }}}}'",
            gates=[Gate(name="paid", condition="amount >= 0")],
            min_rows=1,
        )
"""
TABLES = ("feed", "orders", "latest", "checked")
FEED = [(1, "2026-02-01", 10), (2, "2026-02-01", 20), (1, "2026-02-02", 11), (3, "2026-02-03", -1)]


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(
    request: pytest.FixtureRequest, airflow: StartedAirflow, tmp_path: Path
) -> tuple[str, Callable[[str], list[tuple[object, ...]]]]:
    """Tables in a real engine, an Airflow connection to it, and a way to ask it."""
    engine: str = request.param
    conn_id = f"loads_{engine}"
    if engine == "duckdb":
        file = tmp_path / "warehouse.duckdb"
        airflow.api.add_connection(conn_id, "duckdb", host=str(file))

        def ask(sql: str) -> list[tuple[object, ...]]:
            with duckdb.connect(str(file)) as connection:
                return connection.execute(sql).fetchall()

    else:
        folder = postgres_uri().partition("host=")[2]
        airflow.api.add_connection(
            conn_id, "postgres", login="postgres", schema="postgres", host=folder
        )

        def ask(sql: str) -> list[tuple[object, ...]]:
            with open_postgres() as session:
                found = session.connection.execute(sql)
                return found.fetchall() if found.description else []

    ask("create schema sales")
    for table in TABLES:
        ask(f"create table sales.{table} (id integer, day date, amount integer)")
    values = ", ".join(f"({id_}, date '{day}', {amount})" for id_, day, amount in FEED)
    ask(f"insert into sales.feed values {values}")
    return conn_id, ask


def test_a_chain_of_loads(
    airflow: StartedAirflow,
    warehouse: tuple[str, Callable[[str], list[tuple[object, ...]]]],
) -> None:
    conn_id, ask = warehouse
    dag_id = f"chain_{conn_id}"
    airflow.drop(f"{dag_id}.py", DAG.format(dag_id=dag_id, conn_id=conn_id), dag_id)

    def run(day: int) -> tuple[str, dict[str, str | None]]:
        done = airflow.run(dag_id, logical_date=datetime(2026, 2, day, 12, tzinfo=UTC))
        states = {name: task.state for name, task in airflow.tasks(done).items()}
        return str(done.state), states

    assert run(1)[0] == "success"
    assert ask("select id, amount from sales.orders order by id") == [(1, 10), (2, 20)]
    assert ask("select id, amount from sales.latest order by id") == [(1, 11), (2, 20), (3, -1)]
    assert ask("select id, amount from sales.checked order by id") == [(1, 10), (2, 20)]

    # Whoever waits for the tables is told what was loaded.
    told = airflow.api.get("/assets/events", source_dag_id=dag_id)["asset_events"]
    extras = {event["source_task_id"]: event["extra"] for event in told}
    assert {task: extra["staged"] for task, extra in extras.items()} == {
        "day": 2,
        "latest": 4,
        "checked.publish": 2,
    }
    assert extras["day"]["partitions"] == ["day=2026-02-01"]
    sized = conn_id.endswith("postgres")
    assert all(("bytes" in extra) is sized for extra in extras.values())

    # A run that is cleared does all again; another day stands beside the first.
    done = airflow.run(dag_id, logical_date=datetime(2026, 2, 2, 12, tzinfo=UTC))
    airflow.api.clear(done)
    airflow.api.wait_for_run(done, 120)
    assert ask("select id, amount from sales.orders order by day, id") == [
        (1, 10),
        (2, 20),
        (1, 11),
    ]
    assert ask("select count(*) from sales.checked") == [(3,)]

    # A row that is wrong stops the chain; what was published stays, the staging is swept.
    state, states = run(3)
    assert state == "failed"
    assert states == {
        "day": "success",
        "latest": "success",
        "checked.stage": "success",
        "checked.check": "failed",
        "checked.publish": "upstream_failed",
        "checked.sweep": "success",
    }
    assert ask("select count(*) from sales.checked") == [(3,)]
    left = ask("select table_name from information_schema.tables where table_schema = 'sales'")
    assert {str(name) for (name,) in left} == {*TABLES, "dataops_leases"}
