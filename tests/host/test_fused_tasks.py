"""Fused tasks on a real DuckDB: gates, retries, several sessions, what they tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops import dbt_dag
from airflow_dataops.core.engines import error_codes
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import open_duckdb
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run
from tests.oracle.projects import load_shop

if TYPE_CHECKING:
    from airflow.sdk import DAG

SHOP = Path(__file__).parents[2] / "dags" / "manifests" / "shop" / "manifest.json"


def sql(text: str) -> dict[str, str]:
    return {"raw_code": text, "compiled_code": text}


def data_test(name: str, *parents: str, code: str = "select 1 where false") -> dict[str, Any]:
    return {
        "unique_id": f"test.tiny.{name}",
        "resource_type": "test",
        "name": name,
        "alias": name,
        "package_name": "tiny",
        "original_file_path": f"tests/{name}.sql",
        "path": f"{name}.sql",
        "fqn": ["tiny", name],
        "database": "wh",
        "schema": "main_dbt_test__audit",
        "language": "sql",
        "depends_on": {"nodes": [f"model.tiny.{parent}" for parent in parents], "macros": []},
        "config": {"severity": "ERROR", "enabled": True},
        **sql(code),
    }


DIAMOND = (
    model("a", **sql("select 1 as id")),
    data_test("a_ok", "a", code='select * from "wh"."main"."a" where id is null'),
    model("b", "a", **sql('select id, now() as at from "wh"."main"."a"')),
    model("c", "a", **sql('select id + 1 as id from "wh"."main"."a"')),
    model("d", "b", "c", **sql('select id from "wh"."main"."b" union all from "wh"."main"."c"')),
)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "wh.duckdb"
    connection = {"conn_type": "duckdb", "host": str(file)}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    return file


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    path = write(folder / "m.json", manifest(*nodes))
    return dbt_dag(manifest=path, conn_id="w", **arguments)


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("threads", [None, 1, 3])
@pytest.mark.parametrize("granularity", ["node", "chain", "layer", "dag"])
def test_every_granularity_builds_the_same(
    warehouse: Path, tmp_path: Path, granularity: str, threads: int | None
) -> None:
    dag = dag_of(tmp_path, *DIAMOND, granularity=granularity, threads=threads)
    run = Run(dag).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert rows(warehouse, "select id from d order by all") == [(1,), (2,)]
    told = {name for assets in run.assets.values() for name in assets}
    assert told == {f"dataops://w/wh/main/{name}" for name in "abcd"}
    count = {"node": 5, "chain": 4, "layer": 1, "dag": 1}
    assert len(dag.tasks) == count[granularity]


def test_tests_with_their_model_gate_as_apart_and_are_told_each(
    warehouse: Path, tmp_path: Path
) -> None:
    nodes = [
        *DIAMOND,
        data_test("b_ok", "b", code='select * from "wh"."main"."b" where id is null'),
        data_test("b_bad", "b", code='select * from "wh"."main"."b"'),
    ]
    apart = Run(dag_of(tmp_path, *nodes)).all()
    together = Run(dag_of(tmp_path, *nodes, tests="with model")).all()
    gated = {"a": "success", "c": "success", "d": "upstream_failed"}
    assert apart.states == gated | {"a.test": "success", "b": "success", "b.test": "failed"}
    assert together.states == gated | {"b": "failed"}
    told = {found["node"]: found for found in together.results["b"]["nodes"]}
    assert told["model.tiny.b"]["rows"] == 1
    verdicts = apart.results["b.test"]["tests"]
    assert {found["status"] for found in verdicts} == {"pass", "fail"}
    assert [told[found["node"]] for found in verdicts] == verdicts


def test_a_fused_task_returns_what_each_node_would(warehouse: Path, tmp_path: Path) -> None:
    run = Run(dag_of(tmp_path, *DIAMOND, granularity="dag")).all()
    nodes = {found["node"]: found for found in run.results["dag"]["nodes"]}
    assert nodes["model.tiny.d"] == {
        "node": "model.tiny.d",
        "relation": "wh.main.d",
        "action": "created",
        "rows": 2,
    }
    assert nodes["test.tiny.a_ok"]["status"] == "pass"
    assert run.assets["dag"]["dataops://w/wh/main/d"] == {"action": "created", "rows": 2}
    assert "-- d\n" in run.sql["dag"]
    assert run.stores["dag"].values == {}


def test_a_failed_test_stops_what_is_below_and_nothing_else(
    warehouse: Path, tmp_path: Path
) -> None:
    nodes = [
        *DIAMOND,
        data_test("b_bad", "b", code="select 1"),
        model("e", "d"),
        model("apart"),
    ]
    run = Run(dag_of(tmp_path, *nodes, granularity="dag")).all()
    assert run.states == {"dag": "failed"}
    text = str(run.errors["dag"])
    assert "1 of 8 parts failed, 2 did not run:\n  - b.test: test.tiny.b_bad: Got 1 result" in text
    by_node = {found["node"]: found for found in run.results["dag"]["nodes"]}
    assert by_node["test.tiny.b_bad"]["status"] == "fail"
    assert by_node["model.tiny.d"]["status"] == "skipped"
    assert by_node["model.tiny.d"]["message"] == "waits for b.test"
    assert by_node["model.tiny.apart"]["action"] == "created"
    tables = rows(warehouse, "select table_name from information_schema.tables order by 1")
    assert [name for (name,) in tables] == ["a", "apart", "b", "c"]


def test_a_retry_skips_what_is_finished_and_a_cleared_task_does_not(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`c` reads a table that is missing at first, which is taken for an error of no known kind."""
    monkeypatch.setattr(error_codes, "_FINAL", frozenset())
    late = model("c", "a", **sql('select id from "wh"."main"."late"'))
    nodes = [node if node["name"] != "c" else late for node in DIAMOND]
    run = Run(dag_of(tmp_path, *nodes, granularity="dag")).all()
    assert run.states == {"dag": "up_for_retry"}
    assert "CatalogException" in str(run.errors["dag"])
    before = rows(warehouse, "from b")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table late as select 7 as id")
    assert run.all().states == {"dag": "success"}
    assert rows(warehouse, "from b") == before
    assert rows(warehouse, "select id from d order by all") == [(1,), (7,)]
    assert {found["node"] for found in run.results["dag"]["nodes"]} == {
        n["unique_id"] for n in nodes
    }
    assert len(run.assets["dag"]) == 4
    again = Run(run.dag)
    again.stores = run.stores
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop table late")
    again.all()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table late as select 8 as id")
    cleared = rows(warehouse, "from b")
    again.all(max_tries=3)  # what clearing a task does
    assert again.states == {"dag": "success"}
    assert rows(warehouse, "from b") != cleared


def test_progress_of_many_parts_is_read_in_few_values(warehouse: Path, tmp_path: Path) -> None:
    nodes = [model(f"m{number:03}") for number in range(120)]
    bad = model("z", *[f"m{number:03}" for number in range(120)], **sql("select nothing"))
    run = Run(dag_of(tmp_path, *nodes, bad, granularity="dag")).all()
    store = run.stores["dag"]
    assert [len(value["parts"]) for value in store.values.values()] == [50, 50, 20]
    written = store.written
    run.all()
    assert store.written == written


def test_several_sessions_build_on_one_duckdb_file(warehouse: Path, tmp_path: Path) -> None:
    """Forty tables and views in eight schemas, by four threads."""
    nodes = [
        model(
            f"m{number:02}",
            schema=f"s{number % 8}",
            config={"materialized": "view" if number % 3 else "table", "enabled": True},
        )
        for number in range(40)
    ]
    run = Run(dag_of(tmp_path, *nodes, granularity="dag", threads=4)).all()
    assert run.states == {"dag": "success"}, run.errors
    assert len(rows(warehouse, "select 1 from information_schema.tables")) == 40


@pytest.mark.parametrize("threads", [0, -1, "4", True])
def test_a_number_of_threads_that_is_none_is_refused(tmp_path: Path, threads: Any) -> None:
    with pytest.raises(ConfigError, match="threads: expected a whole number from 1 on"):
        dag_of(tmp_path, *DIAMOND, threads=threads)


@pytest.mark.slow
def test_the_demo_project_comes_out_the_same_in_one_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds, snapshots, incremental models, tests; two days; a dry run before each."""
    states: dict[str, Any] = {}
    for granularity in ("node", "dag"):
        file = tmp_path / granularity / "shop.duckdb"
        file.parent.mkdir()
        connection = {"conn_type": "duckdb", "host": str(file)}
        monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
        arguments = {"granularity": granularity, "threads": 4, "freshness": "skip"}
        dag = dbt_dag(manifest=SHOP, conn_id="w", **arguments)
        for day in (0, 1):
            with open_duckdb(str(file)) as warehouse:
                load_shop(warehouse, day)
            before = counts(file)
            dry = Run(dag, dry_run=True).all()
            assert set(dry.states.values()) == {"success"}, dry.errors
            assert counts(file) == before
            run = Run(dag).all()
            assert set(run.states.values()) == {"success"}, run.errors
            assert counts(file) != before
        states[granularity] = counts(file)
        states[granularity]["orders"] = rows(file, "select * from marts.fct_orders order by all")
    assert states["node"] == states["dag"]


def counts(file: Path) -> dict[str, Any]:
    names = rows(file, "select table_schema, table_name from information_schema.tables")
    return {
        f"{schema}.{name}": rows(file, f'select count(*) from "{schema}"."{name}"')
        for schema, name in names
    }
