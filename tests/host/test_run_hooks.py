"""Hooks around a run as Airflow runs them: on DuckDB, from SQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from airflow.sdk import DAG, TaskGroup
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, dbt_task_group
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

START, END, OUTCOME = "hooks.on_run_start", "hooks.on_run_end", "hooks.outcome"


def hook(moment: str, index: int, sql: str) -> dict[str, Any]:
    name = f"tiny-{moment}-{index}"
    return {
        "unique_id": f"operation.tiny.{name}",
        "resource_type": "operation",
        "name": name,
        "package_name": "tiny",
        "tags": [moment],
        "raw_code": sql,
    }


AUDIT = (
    hook("on-run-start", 0, "create table if not exists stats.audit (what text)"),
    hook("on-run-start", 1, "insert into stats.audit values ('start')"),
    hook("on-run-end", 0, "insert into stats.audit values ('end'); analyze stats.audit"),
)
IN_STATS = model("a", schema="stats")


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "wh.duckdb"
    connection = {"conn_type": "duckdb", "host": str(file)}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    return file


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    return dbt_dag(manifest=write(folder / "m.json", manifest(*nodes)), conn_id="w", **arguments)


def audit(file: Path) -> list[str]:
    with duckdb.connect(str(file)) as connection:
        return [what for (what,) in connection.execute("from stats.audit").fetchall()]


def test_they_run_once_and_the_schemas_are_there_before(warehouse: Path, tmp_path: Path) -> None:
    """As dbt, which makes the schemas of the run before its first hook."""
    run = Run(dag_of(tmp_path, *AUDIT, IN_STATS, model("b", "a"))).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert audit(warehouse) == ["start", "end"]
    assert [node["status"] for node in run.results[START]["nodes"]] == ["success"] * 2
    assert "insert into stats.audit values ('start')" in run.sql[START]


def test_the_end_runs_after_a_failure_and_the_run_stays_red(
    warehouse: Path, tmp_path: Path
) -> None:
    broken = {**model("b", "a"), "compiled_code": "select nothing from nowhere"}
    run = Run(dag_of(tmp_path, *AUDIT, IN_STATS, broken)).all()
    assert run.states == {
        START: "success",
        "a": "success",
        "b": "failed",
        END: "success",
        OUTCOME: "upstream_failed",
    }
    assert audit(warehouse) == ["start", "end"]


def test_after_a_start_that_fails_nothing_is_built_and_the_end_runs(
    warehouse: Path, tmp_path: Path
) -> None:
    """And what comes after the hook that fails does not run, as in dbt."""
    failing = hook("on-run-start", 2, "insert into stats.gone values (1)")
    last = hook("on-run-start", 3, "insert into stats.audit values ('never')")
    run = Run(dag_of(tmp_path, *AUDIT, failing, last, IN_STATS)).all()
    assert run.states["a"] == "upstream_failed"
    assert run.states[END] == "success"
    assert run.states[OUTCOME] == "upstream_failed"
    assert audit(warehouse) == ["start", "end"]
    assert "operation.tiny.tiny-on-run-start-2" in str(run.errors[START])


def test_a_dry_run_shows_them_and_runs_none(warehouse: Path, tmp_path: Path) -> None:
    run = Run(dag_of(tmp_path, *AUDIT, IN_STATS), dry_run=True).all()
    assert set(run.states.values()) == {"success"}
    assert "insert into stats.audit values ('end')" in run.sql[END]
    with duckdb.connect(str(warehouse)) as connection:
        assert connection.execute("select * from duckdb_tables()").fetchall() == []


def test_airflow_keeps_what_makes_the_end_run(tmp_path: Path) -> None:
    """The rules are in the serialized DAG, and the outcome starts no process."""
    dag = dag_of(tmp_path, *AUDIT, IN_STATS, operator_args={"trigger_rule": "all_success"})
    kept = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    rules = {id_: str(kept.get_task(id_).trigger_rule) for id_ in (START, END, OUTCOME)}
    assert rules == {START: "all_success", END: "all_done", OUTCOME: "none_failed"}
    assert kept.get_task(OUTCOME).inherits_from_empty_operator


def test_what_comes_after_a_group_waits_for_the_outcome(warehouse: Path, tmp_path: Path) -> None:
    """Not for the hooks at the end, which succeed whatever failed."""
    file = write(tmp_path / "m.json", manifest(*AUDIT, IN_STATS))
    with DAG("d") as dag:
        group: TaskGroup = dbt_task_group(group_id="shop", manifest=file, conn_id="w")
    assert [task.task_id for task in group.get_leaves()] == [f"shop.{OUTCOME}"]
    end: Any = dag.get_task(f"shop.{END}")
    assert [builder.task for builder in end.around] == ["shop.a"]
    run = Run(dag).all()
    assert set(run.states.values()) == {"success"}, run.errors
