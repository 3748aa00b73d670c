"""Under the real scheduler: a fused task that is killed, and a run that was narrowed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import duckdb

from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import data_test, sql

if TYPE_CHECKING:
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun, TaskInstance

DAG_FILE = """
    from datetime import timedelta
    from airflow_dataops import dbt_dag

    # An airflow dag of {dag_id}.
    dag = dbt_dag(
        dag_id={dag_id!r},
        manifest={manifest!r},
        conn_id={dag_id!r},
        granularity={granularity!r},
        default_args={{"retries": 1, "retry_delay": timedelta(seconds=5)}},
    )
"""


def deploy(
    airflow: StartedAirflow, folder: Path, granularity: str, *nodes: dict[str, Any]
) -> tuple[str, Path]:
    """Deploy nodes as a DAG; return its id and its DuckDB file."""
    dag_id, file = f"by_{granularity}", folder / "wh.duckdb"
    airflow.api.add_connection(dag_id, "duckdb", host=str(file))
    path = write(folder / "m.json", manifest(*nodes))
    source = DAG_FILE.format(dag_id=dag_id, manifest=str(path), granularity=granularity)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table knob as select 1000000000000 as n")
    airflow.drop(f"{dag_id}.py", source, dag_id)
    return dag_id, file


def wait_for_log(airflow: StartedAirflow, run: DagRun, words: str) -> TaskInstance:
    """Wait until the one task of a run says something."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        (task,) = airflow.api.task_instances(run.dag_id, run.run_id)
        if task.state == "running" and words in "\n".join(airflow.api.task_log(task)):
            return task
        time.sleep(0.5)
    raise AssertionError(f"the task never said {words!r}")


def test_a_killed_fused_task_goes_on_where_it_was(airflow: StartedAirflow, tmp_path: Path) -> None:
    """SIGKILL while its third model builds: the retry builds that one and what is below."""
    nodes = (
        model("a", **sql("select now() as built")),
        data_test("a_ok", "a", code='select * from "wh"."main"."a" where built is null'),
        model("b", "a", **sql('select built, now() as later from "wh"."main"."a"')),
        model("slow", "b", **sql('select count(*) as n from "wh"."main"."knob" k, range(k.n)')),
        model("c", "slow", **sql('select n + 1 as n from "wh"."main"."slow"')),
    )
    dag_id, file = deploy(airflow, tmp_path, "dag", *nodes)
    run = airflow.api.trigger(dag_id)
    task = wait_for_log(airflow, run, "created model.tiny.b")
    assert airflow.airflow.kill_task(task)
    with patiently(file) as connection:
        (first,) = connection.execute("from b").fetchall()
        tables = connection.execute("select table_name from information_schema.tables").fetchall()
        connection.execute("update knob set n = 3")
    assert {name for (name,) in tables} == {"knob", "a", "b"}
    run = airflow.api.wait_for_run(run, 120)
    task = airflow.tasks(run)["dag"]
    log = "\n".join(airflow.api.task_log(task))
    assert run.state == "success", log
    assert task.try_number == 2
    assert "3 of 5 parts are done already" in log
    with duckdb.connect(str(file)) as connection:
        assert connection.execute("from b").fetchall() == [first]
        assert connection.execute("from c").fetchall() == [(4,)]
    told = {found["node"] for found in airflow.api.xcom(task)["nodes"]}
    assert told == {node["unique_id"] for node in nodes}


def patiently(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a file that a process which is about to be gone may still hold."""
    deadline = time.monotonic() + 4
    while True:
        try:
            return duckdb.connect(str(file))
        except duckdb.IOException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_narrowed_run_succeeds_and_tells_only_of_what_it_built(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    nodes = (
        model("a"),
        data_test("a_ok", "a"),
        model("b", "a", **sql("select 2 as id")),
        model("c", "b", **sql('select id from "wh"."main"."b"')),
    )
    dag_id, file = deploy(airflow, tmp_path, "node", *nodes)
    run = airflow.run(dag_id, conf={"select": "b+"})
    assert {id_: task.state for id_, task in airflow.tasks(run).items()} == {
        "a": "success",
        "a.test": "success",
        "b": "success",
        "c": "success",
    }
    with duckdb.connect(str(file)) as connection:
        names = connection.execute("select table_name from information_schema.tables").fetchall()
    assert sorted(names) == [("b",), ("c",), ("knob",)]
    answer = airflow.api.get("/assets/events", source_dag_id=dag_id)
    assert sorted(event["source_task_id"] for event in answer["asset_events"]) == ["b", "c"]
