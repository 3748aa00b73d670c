"""The trigger form: what a run is asked for, and what its tasks do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import DbtConfig, dbt_dag, dbt_task_group
from airflow_dataops.core.manifests.task_settings import RUN_PARAMS, mistakes_in
from airflow_dataops.dag_factory.params import run_params
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run
from tests.host.test_fused_tasks import data_test, sql

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = (
    model("a"),
    data_test("a_ok", "a", code='select * from "wh"."main"."a" where id is null'),
    model("b", "a", **sql('select id from "wh"."main"."a"')),
    model("c", "b", **sql('select id from "wh"."main"."b"')),
    data_test("c_ok", "c"),
)
EVENTS = {
    **model("events", config={"materialized": "incremental", "event_time": "loaded"}),
    **sql('select id, loaded from "wh"."main"."raw"'),
}
BOTH = pytest.mark.parametrize("granularity", ["node", "dag"])


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "wh.duckdb"
    connection = {"conn_type": "duckdb", "host": str(file)}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    return file


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    return dbt_dag(manifest=write(folder / "m.json", manifest(*nodes)), conn_id="w", **arguments)


def query(file: Path, text: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(file)) as connection:
        return connection.execute(text).fetchall()


def tables(file: Path) -> list[str]:
    found = query(file, "select table_name from information_schema.tables order by 1")
    return [name for (name,) in found]


def told(run: Run) -> set[str]:
    return {name.rpartition("/")[2] for assets in run.assets.values() for name in assets}


@BOTH
def test_a_run_from_a_model_on_leaves_what_is_above_alone(
    warehouse: Path, tmp_path: Path, granularity: str
) -> None:
    """Tasks that are not selected succeed, so that all_success holds, and emit no asset."""
    dag = dag_of(tmp_path, *CHAIN, granularity=granularity)
    query(warehouse, "create table b as select 5 as id")
    run = Run(dag, select="c+").all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert tables(warehouse) == ["b", "c"]
    assert told(run) == {"c"}


@BOTH
def test_exclude_takes_nodes_out(warehouse: Path, tmp_path: Path, granularity: str) -> None:
    run = Run(dag_of(tmp_path, *CHAIN, granularity=granularity), exclude="b+").all()
    assert set(run.states.values()) == {"success"}
    assert tables(warehouse) == ["a"]
    assert told(run) == {"a"}


@BOTH
def test_tests_alone_and_builds_alone(warehouse: Path, tmp_path: Path, granularity: str) -> None:
    dag = dag_of(tmp_path, *CHAIN, granularity=granularity)
    run = Run(dag, mode="build").all()
    assert tables(warehouse) == ["a", "b", "c"]
    assert "where id is null" not in "".join(run.sql.values())
    query(warehouse, "insert into a values (null)")
    tested = Run(dag, mode="test").all()
    failed = {id_ for id_, state in tested.states.items() if state == "failed"}
    assert failed == ({"dag"} if granularity == "dag" else {"a.test"})
    assert query(warehouse, "select count(*) from a") == [(2,)]
    assert told(tested) == set()


@BOTH
def test_a_dry_run_shows_sql_and_touches_nothing(
    warehouse: Path, tmp_path: Path, granularity: str
) -> None:
    query(warehouse, "create table events as select 1 as id, date '2026-01-01' as loaded")
    run = Run(dag_of(tmp_path, *CHAIN, EVENTS, granularity=granularity), dry_run=True).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert tables(warehouse) == ["events"]
    assert told(run) == set()
    shown = "\n".join(run.sql.values())
    assert 'create table "wh"."main"."c" as (' in shown
    assert "from (\n" in shown  # the tests' queries


@BOTH
def test_days_are_built_anew_and_others_are_left(
    warehouse: Path, tmp_path: Path, granularity: str
) -> None:
    query(
        warehouse,
        "create table raw as select range as id, date '2026-01-01' + range::int as loaded "
        "from range(10)",
    )
    dag = dag_of(tmp_path, EVENTS, granularity=granularity)
    assert set(Run(dag).all().states.values()) == {"success"}
    query(warehouse, "update raw set id = id + 100")
    query(warehouse, "delete from raw where loaded = '2026-01-04'")
    run = Run(dag, begin="2026-01-03", end="2026-01-05").all()
    assert set(run.states.values()) == {"success"}, run.errors
    ids = [id_ for (id_,) in query(warehouse, "select id from events order by loaded")]
    assert ids == [0, 1, 102, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("type_", ["date", "timestamp", "timestamptz"])
def test_days_are_days_in_utc_whatever_the_type(
    warehouse: Path, tmp_path: Path, type_: str
) -> None:
    query(
        warehouse,
        "set timezone = 'UTC'; create table raw as select 1 as id, "
        f"unnest(['2026-01-01', '2026-01-02', '2026-01-03'])::{type_} as loaded",
    )
    dag = dag_of(tmp_path, EVENTS)
    Run(dag).all()
    query(warehouse, "update raw set id = 2")
    run = Run(dag, begin="2026-01-02", end="2026-01-03").all()
    assert run.states == {"events": "success"}, run.errors
    assert query(warehouse, "select id from events order by loaded") == [(1,), (2,), (1,)]


def test_a_column_that_is_no_time_or_not_there_is_told(warehouse: Path, tmp_path: Path) -> None:
    query(warehouse, "create table raw as select 1 as id, 'x' as loaded")
    dag = dag_of(tmp_path, EVENTS)
    Run(dag).all()
    run = Run(dag, begin="2026-01-02", end="2026-01-03").all()
    assert "event_time 'loaded' is of type VARCHAR" in str(run.errors["events"])


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ({"select": "no_such_model"}, "no_such_model"),
        ({"select": "aa"}, "a"),
        ({"begin": "2026-01-01"}, "set both"),
        ({"begin": "2026-01-02", "end": "2026-01-02"}, "is not before"),
        ({"begin": "2026-01-01", "end": "2026-01-02", "full_refresh": True}, "exclude each other"),
    ],
)
def test_what_cannot_be_is_told_at_once_and_not_tried_again(
    warehouse: Path, tmp_path: Path, conf: dict[str, Any], message: str
) -> None:
    run = Run(dag_of(tmp_path, *CHAIN), **conf).all()
    assert run.states["a"] == "failed"
    assert message in str(run.errors["a"])


@pytest.mark.parametrize(
    "conf", [{"mode": "tests"}, {"begin": "yesterday"}, {"select": 3}, {"dry_run": "yes"}]
)
def test_airflow_refuses_the_form_before_anything_runs(
    tmp_path: Path, conf: dict[str, Any]
) -> None:
    with pytest.raises(ParamValidationError):
        Run(dag_of(tmp_path, *CHAIN), **conf).all()


def test_a_group_in_somebodys_dag_heeds_what_params_that_dag_has(
    warehouse: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "m.json", manifest(*CHAIN))
    with DAG("mine", params={"select": "a"}) as dag:
        dbt_task_group(group_id="g", manifest=path, conn_id="w")
    assert set(Run(dag).all().states.values()) == {"success"}
    assert tables(warehouse) == ["a"]
    with DAG("plain") as plain:
        dbt_task_group(group_id="g", manifest=path, conn_id="w")
    assert set(Run(plain).all().states.values()) == {"success"}
    assert tables(warehouse) == ["a", "b", "c"]


@pytest.fixture
def by_dbt(warehouse: Path, tmp_path: Path) -> DAG:
    """A model that only dbt can build, whose dbt is not there: it must not be called."""
    python = model("p", "a", language="python")
    nowhere = DbtConfig(project_dir=str(tmp_path), profile="p", target="t", executable="/no/dbt")
    (tmp_path / "profiles.yml").write_text("p: {target: t, outputs: {t: {type: duckdb}}}")
    (tmp_path / "dbt_project.yml").write_text("name: tiny\nprofile: p\n")
    return dag_of(tmp_path, *CHAIN, python, dbt=nowhere, freshness="skip")


@pytest.mark.parametrize("conf", [{"select": "a"}, {"mode": "test"}])
def test_dbt_is_not_called_for_what_the_run_is_not_for(by_dbt: DAG, conf: dict[str, Any]) -> None:
    run = Run(by_dbt, **conf)
    run.one(by_dbt.get_task("p"))
    assert run.states == {"p": "success"}
    assert run.results["p"] == {"nodes": ["model.tiny.p"], "status": "not selected"}
    assert run.assets["p"] == {}


def test_a_dry_run_shows_how_dbt_would_be_called(
    by_dbt: DAG, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run = Run(by_dbt, dry_run=True, begin="2026-01-01", end="2026-01-02")
    run.one(by_dbt.get_task("p"))
    assert run.results["p"] == {"nodes": ["model.tiny.p"], "status": "dry run"}
    assert "--event-time-start 2026-01-01 --event-time-end 2026-01-02" in caplog.text


def test_params_are_not_repeated_in_each_serialized_task(tmp_path: Path) -> None:
    encoded = DagSerialization.to_dict(dag_of(tmp_path, *CHAIN))["dag"]
    assert len(encoded["params"]) == 9
    assert all("params" not in task["__var"] for task in encoded["tasks"])


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_a_run_may_start_no_other_dag(warehouse: Path, tmp_path: Path, granularity: str) -> None:
    """As a backfill of the past: everything is built, and no asset is emitted."""
    dag = dag_of(tmp_path, model("a"), granularity=granularity)
    run = Run(dag, assets=False).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert [assets for assets in run.assets.values() if assets] == []
    assert query(warehouse, "select count(*) from a") == [(1,)]
    told = Run(dag).all()
    assert [list(assets) for assets in told.assets.values()] == [["dataops://w/wh/main/a"]]


def test_metadata_may_not_set_the_params_of_the_form() -> None:
    """A model with `meta.airflow.params: {dry_run: true}` was green and not built."""
    assert set(run_params()) == RUN_PARAMS
    [mistake] = mistakes_in({"params": {"dry_run": True, "x": 1}})
    assert "'dry_run' is a param of the trigger form" in mistake
    assert mistakes_in({"params": {"x": 1}}) == []
