"""Under the real scheduler: callbacks as text, what failed again, defer, nothing done is red."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.ledger.events import RunEvent
from tests.functional.started import scheduled_airflow
from tests.functional.test_engine_dbt import compiled
from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import data_test, rows, sql
from tests.host.test_run_again import AGAIN, WENT_WRONG, nodes, ran_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun

__all__ = ["compiled"]

pytestmark = pytest.mark.slow

TIMEOUT = 150.0
DAG_FILE = """
    from airflow_dataops import DbtConfig, dbt_dag

    # The airflow dag {dag_id}.
    dag = dbt_dag(
        dag_id={dag_id!r}, manifest={manifest!r}, conn_id={dag_id!r}, schedule=None,
        default_args={{"retries": 0}}, {arguments}
    )
"""
FOLDER_FILE = """
    from airflow_dataops import load_dags

    # The airflow dags of a folder.
    load_dags(
        {folder!r}, globals(), conn_id="called", default_args={{"retries": 0}},
        operator_args={{"on_failure_callback": "called_by_path.failed"}},
        on_warning_callback="called_by_path.warned",
    )
"""
CALLBACKS = """
def note(*words):
    with open({file!r}, "a", encoding="utf-8") as output:
        output.write(" ".join(words) + "\\n")

def failed(context):
    note("failed", context["ti"].dag_id, context["ti"].task_id)

def warned(context):
    note("warned", context["ti"].dag_id, context["ti"].task_id, *context["test_names"])
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedAirflow]:
    """An Airflow of this module alone, whose scheduler makes runs."""
    with scheduled_airflow(tmp_path_factory.mktemp("actions"), "actions") as started:
        yield started


def deploy(
    airflow: StartedAirflow, folder: Path, dag_id: str, *found: dict[str, Any], arguments: str = ""
) -> Path:
    """Deploy a manifest and its DAG on a DuckDB file, which is returned."""
    path = write(folder / "m.json", manifest(*found))
    file = folder / "wh.duckdb"
    airflow.api.add_connection(dag_id, "duckdb", host=str(file))
    source = DAG_FILE.format(dag_id=dag_id, manifest=str(path), arguments=arguments)
    airflow.drop(f"{dag_id}.py", source, dag_id)
    return file


def states(airflow: StartedAirflow, run: DagRun) -> dict[str, str | None]:
    return {id_: task.state for id_, task in airflow.tasks(run).items()}


def log_of(airflow: StartedAirflow, run: DagRun, task_id: str) -> str:
    return "\n".join(airflow.api.task_log(airflow.tasks(run)[task_id]))


def import_error(airflow: StartedAirflow, file: str) -> str:
    """Wait for the error of a file: Airflow forgets it at each look at the folder, for a moment."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        for error in airflow.api.import_errors():
            if error.filename.startswith(file):
                return error.stack_trace
        assert time.monotonic() < deadline, f"{file} has no import error"
        time.sleep(0.2)


def wait_for_ledger(airflow: StartedAirflow, run: DagRun) -> None:
    """Wait until the ledger has heard of a run's end."""
    home = airflow.airflow.settings.home
    store = LedgerStore(f"sqlite:///{home / 'dataops' / 'ledger.db'}")
    deadline = time.monotonic() + TIMEOUT
    try:
        while not any(
            event.ended_at for event in store.read(RunEvent, dag_id=run.dag_id, run_id=run.run_id)
        ):
            assert time.monotonic() < deadline, f"{run.run_id} is not in the ledger"
            time.sleep(0.5)
    finally:
        store.close()


def test_callbacks_given_as_import_paths_are_called_once(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """With the names of what failed and what is warned of, and of nothing else.

    A manifest that names a callback itself is an import error, with its node, the key and the place
    where callbacks belong; the other one of the folder is loaded and runs.
    """
    told = tmp_path / "told.txt"
    module = airflow.dags / "called_by_path.py"
    module.write_text(CALLBACKS.format(file=str(told)), encoding="utf-8")
    airflow.api.add_connection("called", "duckdb", host=str(tmp_path / "wh.duckdb"))
    warned = data_test("w_ok", "warned", code="select 1 as id")
    warned["config"] = {**warned["config"], "severity": "warn"}
    found = (
        model("good", **sql("select 1 as id")),
        data_test("g_ok", "good"),
        model("bad", **sql("select id from no_such_table")),
        model("below_bad", "bad"),
        model("warned", **sql("select 1 as id")),
        warned,
    )
    write(tmp_path / "m" / "tiny.json", manifest(*found))
    meta = {"airflow": {"on_failure_callback": "called_by_path.failed"}}
    chooses = model("a", project="chooses", config={"materialized": "table", "meta": meta})
    write(tmp_path / "m" / "chooses.json", manifest(chooses, project="chooses"))
    airflow.drop("called.py", FOLDER_FILE.format(folder=str(tmp_path / "m")), "tiny")

    run = airflow.run("tiny")
    assert states(airflow, run) == {
        "good": "success",
        "good.test": "success",
        "bad": "failed",
        "below_bad": "upstream_failed",
        "warned": "success",
        "warned.test": "success",
    }
    assert sorted(told.read_text(encoding="utf-8").splitlines()) == [
        "failed tiny bad",
        "warned tiny warned.test w_ok",
    ]
    error = import_error(airflow, "called.py")
    for word in ("chooses.json", "model.chooses.a", "'on_failure_callback'", "operator_args"):
        assert word in error


def test_what_failed_runs_again_and_nothing_else(airflow: StartedAirflow, tmp_path: Path) -> None:
    """Once mended, a run of what failed and what was skipped for it leaves the rest as it is."""
    file = deploy(airflow, tmp_path, "again", *nodes())
    first = airflow.run("again")
    assert first.state == "failed"
    assert {id_ for id_, state in states(airflow, first).items() if state != "success"} == {
        "bad",
        "bad.test",
        "below_bad",
        "tested.test",
        "below_tested",
    }
    with duckdb.connect(str(file)) as connection:
        # What would be built again has this no more.
        for table in ("good", "tested", "warned"):
            connection.execute(f"insert into {table} values (77)")

    write(tmp_path / "m.json", manifest(*nodes(mended=True)))
    wait_for_ledger(airflow, first)
    again = airflow.run("again", conf={"select": AGAIN})
    tasks = airflow.tasks(again)
    assert {task.state for task in tasks.values()} == {"success"}, states(airflow, again)
    assert ran_in([airflow.api.xcom(task) for task in tasks.values()]) == WENT_WRONG
    for table in ("good", "tested", "warned"):
        assert rows(file, f"select id from {table} order by 1") == [(1,), (77,)]
    for table in ("bad", "below_bad", "below_tested"):
        assert rows(file, f"select id from {table}") == [(1,)]


def test_a_mode_in_which_nothing_is_done_is_red(airflow: StartedAirflow, tmp_path: Path) -> None:
    file = deploy(airflow, tmp_path, "bare", model("a"), model("b", "a"))
    run = airflow.run("bare", conf={"mode": "test"})
    assert run.state == "failed"
    assert states(airflow, run) == {"a": "failed", "b": "upstream_failed"}
    assert "param mode: no task of this DAG takes part" in log_of(airflow, run, "a")
    assert not file.exists() or rows(file, "select * from information_schema.tables") == []


def test_a_parent_that_is_not_built_is_read_where_the_earlier_run_has_it(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """And from its own place as soon as it is there."""
    write(tmp_path / "prod" / "manifest.json", manifest(model("parent", schema="prod")))
    with duckdb.connect(str(tmp_path / "wh.duckdb")) as connection:
        connection.execute("create schema prod; create table prod.parent as select 42 as id")
    found = (
        model("parent"),
        model("child", "parent", **sql('select id from "wh"."main"."parent"')),
    )
    arguments = f"select='child', defer=True, state={str(tmp_path / 'prod')!r}"
    file = deploy(airflow, tmp_path, "deferring", *found, arguments=arguments)
    first = airflow.run("deferring")
    assert states(airflow, first) == {"child": "success"}, log_of(airflow, first, "child")
    assert rows(file, "select id from main.child") == [(42,)]

    with duckdb.connect(str(file)) as connection:
        connection.execute("create table main.parent as select 7 as id")
    second = airflow.run("deferring")
    assert states(airflow, second) == {"child": "success"}, log_of(airflow, second, "child")
    assert rows(file, "select id from main.child") == [(7,)]


@pytest.mark.timeout(1200)
def test_a_node_that_the_project_has_lost_is_red_and_starts_nobody(
    airflow: StartedAirflow,
    compiled: Path,
    tmp_path: Path,
) -> None:
    """dbt has nothing to do and ends well; its neighbour, which is there, is built and told of."""
    project, file = tmp_path / "shop", tmp_path / "wh.duckdb"
    shutil.copytree(compiled, project)
    for name in ("orders.sql", "schema.yml"):
        (project / "models" / name).unlink()
    duckdb.connect(str(file)).close()
    airflow.api.add_connection("lost", "duckdb", host=str(file))
    arguments = (
        "engine='dbt', select='file:orders.sql file:deep.sql', exclude='resource_type:test', "
        f"dbt=DbtConfig(project_dir={str(project)!r}, profile='p', target='dev', "
        f"env={{'WH': {str(file)!r}}})"
    )
    path = str(project / "manifest.json")
    source = DAG_FILE.format(dag_id="lost", manifest=path, arguments=arguments)
    airflow.drop("lost.py", source, "lost")
    run = airflow.run("lost", timeout=900)
    assert states(airflow, run) == {"orders": "failed", "deep": "success"}
    assert "dbt finds no model.shop.orders" in log_of(airflow, run, "orders")
    assert rows(file, "select table_name from information_schema.tables") == [("deep",)]
    answer = airflow.api.get("/assets/events", source_dag_id="lost")
    assert [event["source_task_id"] for event in answer["asset_events"]] == ["deep"]
