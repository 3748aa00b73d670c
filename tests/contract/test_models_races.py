"""Two workers on one dbt model at once, a zombie and its retry among them: one result.

Postgres: two sessions. DuckDB: two cursors of one process; two processes queue for the file.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.execution.turns import Turn
from airflow_dataops.core.loads.specs import Attempt
from airflow_dataops.core.model import (
    Code,
    Incremental,
    ModelSpec,
    Node,
    NodeKind,
    Relation,
    SeedSpec,
    SnapshotSpec,
    StoreFailures,
    TestSpec,
)
from tests.duckdb_runner import open_duckdb
from tests.execution_cases import values
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

OLD = [(1, "a"), (2, "b")]
NEW = [(2, "B"), *((number, "n") for number in range(10, 60))]
UPSERTED = [(1, "a"), *NEW]
COLUMNS = ("id", "name")
ENGINES = pytest.mark.parametrize("engine", ["duckdb", "postgres"])
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(15, marks=pytest.mark.slow)])


def incremental(strategy: str) -> ModelSpec:
    key = () if strategy == "append" else ("id",)
    how = Incremental(strategy=strategy, unique_key=key)
    return ModelSpec(materialized="incremental", incremental=how)


SNAPSHOT = SnapshotSpec(strategy="check", unique_key=("id",), check_cols=("all",))
MODELS = {
    "append": incremental("append"),
    "delete+insert": incremental("delete+insert"),
    "merge": incremental("merge"),
    "table": ModelSpec(materialized="table"),
    "view": ModelSpec(materialized="view"),
}

MODELS_RACED = [
    "append",
    "delete+insert",
    pytest.param("merge", marks=pytest.mark.slow),
    pytest.param("table", marks=pytest.mark.slow),
]


def node(warehouse: Warehouse, spec: object, kind: NodeKind = NodeKind.MODEL) -> Node:
    return Node(
        id=f"{kind}.shop.orders",
        kind=kind,
        name="orders",
        package="shop",
        spec=spec,  # type: ignore[arg-type]
        relation=Relation(identifier="orders", schema=warehouse.schema),
    )


def at_once(warehouse: Warehouse, *works: Callable[[SqlRunner], object]) -> list[BaseException]:
    """Do works at once, each in a session of its own; return what they raised."""
    start, errors = threading.Barrier(len(works)), []
    runners = [warehouse.session() for _ in works]

    def do(work: Callable[[SqlRunner], object], runner: SqlRunner) -> None:
        start.wait()
        try:
            work(runner)
        except Exception as error:  # noqa: BLE001 - what came is compared
            errors.append(error)
        finally:
            runner.close()  # type: ignore[attr-defined]

    threads = [threading.Thread(target=do, args=pair) for pair in zip(works, runners, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


def drop(warehouse: Warehouse) -> None:
    schema = quote(warehouse.schema, warehouse.dialect)
    warehouse.runner.execute(f"drop schema if exists {schema} cascade")


def current(warehouse: Warehouse, name: str) -> str:
    """A query as authors write it: what the table does not have yet."""
    known = warehouse.sql(warehouse.relation(name))
    return f"select * from ({values(NEW, COLUMNS)}) as s where id not in (select id from {known})"


@ENGINES
@pytest.mark.parametrize("name", MODELS_RACED)
@ROUNDS
def test_two_builds_of_a_model_at_once_leave_no_row_twice(
    engine: str, name: str, rounds: int
) -> None:
    for _ in range(rounds):
        with open_warehouse(engine) as warehouse:
            model = node(warehouse, MODELS[name])
            build(model, Code(sql=values(OLD, COLUMNS)), warehouse.runner)
            later = current(warehouse, "orders") if name == "append" else values(NEW, COLUMNS)
            code = Code(sql=later, incremental_sql=later)
            work = lambda runner, m=model, c=code: build(m, c, runner)  # noqa: E731
            assert at_once(warehouse, work, work) == []
            expected = {"append": sorted([*OLD, *NEW[1:]]), "table": NEW}.get(name, UPSERTED)
            assert warehouse.rows(warehouse.relation("orders")) == expected
            drop(warehouse)


@ENGINES
@ROUNDS
def test_two_builds_of_a_snapshot_at_once_begin_each_version_once(engine: str, rounds: int) -> None:
    for _ in range(rounds):
        with open_warehouse(engine) as warehouse:
            snapshot = node(warehouse, SNAPSHOT, NodeKind.SNAPSHOT)
            build(snapshot, Code(sql=values(OLD, COLUMNS)), warehouse.runner)
            code = Code(sql=values([*OLD[:1], *NEW], COLUMNS))
            work = lambda runner, s=snapshot, c=code: build(s, c, runner)  # noqa: E731
            assert at_once(warehouse, work, work) == []
            open_ = "select id, name from {} where dbt_valid_to is null"
            sql = open_.format(warehouse.sql(warehouse.relation("orders")))
            assert sorted(warehouse.runner.fetch(sql)) == UPSERTED
            drop(warehouse)


@ENGINES
@pytest.mark.parametrize("first", ["nothing", pytest.param("a table", marks=pytest.mark.slow)])
def test_two_first_builds_make_one_schema_and_one_relation(engine: str, first: str) -> None:
    """The schema, too, is made by both; views and seeds take each other's place."""
    for spec in (MODELS["view"], MODELS["table"], SeedSpec(file="seeds/orders.csv"), SNAPSHOT):
        with open_warehouse(engine) as warehouse:
            kind = {SeedSpec: NodeKind.SEED, SnapshotSpec: NodeKind.SNAPSHOT}.get(type(spec))
            model = node(warehouse, spec, kind or NodeKind.MODEL)
            code = Code(sql=values(OLD, COLUMNS), csv="id,name\n1,a\n2,b\n")
            if first == "nothing":
                drop(warehouse)
            else:
                build(model, code, warehouse.runner)
            work = lambda runner, m=model, c=code: build(m, c, runner)  # noqa: E731
            assert at_once(warehouse, work, work, work) == []
            assert warehouse.rows(warehouse.relation("orders"), *COLUMNS) == OLD
            drop(warehouse)


@ENGINES
@pytest.mark.parametrize(
    "kind", [StoreFailures.TABLE, pytest.param(StoreFailures.VIEW, marks=pytest.mark.slow)]
)
def test_two_tests_that_store_their_failures_at_once(engine: str, kind: StoreFailures) -> None:
    with open_warehouse(engine) as warehouse:
        test = node(warehouse, TestSpec(store_failures=kind), NodeKind.TEST)
        code = Code(sql=values(OLD, COLUMNS))
        for _ in range(3):
            work = lambda runner: run_test(test, code, runner)  # noqa: E731
            assert at_once(warehouse, work, work) == []
            assert warehouse.rows(warehouse.relation("orders")) == OLD
        drop(warehouse)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["snowflake", "bigquery"])
@pytest.mark.parametrize("name", ["snapshot", "merge"])
def test_two_tasks_at_once_on_engines_whose_ddl_commits(engine: str, name: str) -> None:
    """They take turns by a lease, as loads do; as far as an emulator shows it."""
    with open_warehouse(engine) as warehouse:
        spec = SNAPSHOT if name == "snapshot" else MODELS["merge"]
        kind = NodeKind.SNAPSHOT if name == "snapshot" else NodeKind.MODEL
        model = node(warehouse, spec, kind)
        build(model, Code(sql=values(OLD, COLUMNS)), warehouse.runner)
        sql = values([*OLD[:1], *NEW[:6]], COLUMNS)
        code = Code(sql=sql, incremental_sql=sql)

        def work(owner: str) -> Callable[[SqlRunner], object]:
            turn = Turn(attempt=Attempt(owner=owner, run_id="monday"))
            return lambda runner: build(model, code, runner, turn=turn)

        assert at_once(warehouse, work("a"), work("b")) == []
        where = "where dbt_valid_to is null" if name == "snapshot" else ""
        table = warehouse.sql(warehouse.relation("orders"))
        found = warehouse.runner.fetch(f"select id from {table} {where}")
        assert sorted(found) == [(1,), *((id_,) for id_, _ in NEW[:6])]


WORKER = """
import json, os, sys, time
from pathlib import Path
path, start = sys.argv[1:]
os.environ["AIRFLOW_CONN_W"] = json.dumps({"conn_type": "duckdb", "host": path})
from airflow_dataops.core.execution.build import build
from airflow_dataops.core.model import Code, NodeKind
from airflow_dataops.hooks.sql_runner import open_session
from tests.contract.test_models_races import COLUMNS, MODELS, NEW, SNAPSHOT, TWICE, named, query
print("ready", flush=True)
while not Path(start).exists():
    time.sleep(0.001)
for name in TWICE:
    for number in range(15):
        with open_session("w") as session:
            model = named(name, f"{name.replace('+', '_')}_{number}")
            sql = query(name, model.relation.identifier)
            build(model, Code(sql=sql, incremental_sql=sql), session)
"""
TWICE = ("append", "delete+insert", "merge", "snapshot")


def named(name: str, table: str) -> Node:
    kind = NodeKind.SNAPSHOT if name == "snapshot" else NodeKind.MODEL
    return Node(
        id=f"{kind}.shop.{table}",
        kind=kind,
        name=table,
        package="shop",
        spec=SNAPSHOT if name == "snapshot" else MODELS[name],
        relation=Relation(identifier=table, schema="main"),
    )


def query(name: str, table: str) -> str:
    if name != "append":
        return values(NEW, COLUMNS)
    return f"select * from ({values(NEW, COLUMNS)}) as s where id not in (select id from {table})"


@pytest.mark.slow
def test_two_processes_at_once_on_one_duckdb_file_leave_no_row_twice(tmp_path: Path) -> None:
    """Fifteen times each of append, delete+insert, merge and snapshot, through the hook's queue."""
    path, start = tmp_path / "shop.duckdb", tmp_path / "start"
    with open_duckdb(str(path)) as runner:
        for name in TWICE:
            for number in range(15):
                model = named(name, f"{name.replace('+', '_')}_{number}")
                build(model, Code(sql=values(OLD, COLUMNS)), runner)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    start.touch()
    assert [worker.wait(300) for worker in workers] == [0, 0]
    with open_duckdb(str(path)) as runner:
        for name in TWICE:
            current = "where dbt_valid_to is null" if name == "snapshot" else ""
            for number in range(15):
                table = f"{name.replace('+', '_')}_{number}"
                found = runner.fetch(
                    f'select count(*), count(distinct id) from "{table}" {current}'
                )
                assert found == [(len(UPSERTED), len(UPSERTED))], table
