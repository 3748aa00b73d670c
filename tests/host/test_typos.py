"""A misspelt project, group, tag or param of a run is an error that names the nearest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops import dbt_dag, dbt_task_group, load_dags
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two projects; only `shop` has marts, only its `fct_orders` the tag."""
    nodes = (
        model("stg_orders", project="shop"),
        model("fct_orders", "stg_orders", project="shop", tags=["heavy"]),
    )
    write(tmp_path / "shop.json", manifest(*nodes, project="shop"))
    write(tmp_path / "wiki.json", manifest(model("stg_pages", project="wiki"), project="wiki"))
    return tmp_path


def load(folder: Path, **arguments: Any) -> tuple[list[str], str]:
    """Return the ids of the DAGs that load, and the import error, empty for none."""
    namespace: dict[str, Any] = {"__file__": str(folder / "dags.py")}
    dags = load_dags(folder, namespace, conn_id="w", **arguments)
    try:
        for found in namespace.values():
            if isinstance(found, DAG):
                found.validate()
    except ValueError as error:
        return [dag.dag_id for dag in dags], str(error)
    return [dag.dag_id for dag in dags], ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"per_project": {"shpo": {"threads": 2}}}, "'shpo', did you mean 'shop'?"),
        ({"group_args": {"mart": {"pool": "x"}}}, "no group 'mart', did you mean 'marts'?"),
        ({"tag_args": {"heavvy": {"pool": "x"}}}, "no tag 'heavvy', did you mean 'heavy'?"),
        (
            {"per_project": {"wiki": {"group_args": {"marts": {"pool": "x"}}}}},
            "group_args: there is no group 'marts'",
        ),
    ],
)
def test_names_that_nothing_has_are_told(
    folder: Path, arguments: dict[str, Any], said: str
) -> None:
    _, error = load(folder, **arguments)
    assert said in error


def test_names_that_one_of_the_projects_has_are_right(folder: Path) -> None:
    ids, error = load(
        folder,
        group_args={"marts": {"pool": "x"}, "inputs": {"poke_interval": 60}},
        tag_args={"heavy": {"retries": 5}},
        per_project={"wiki": {"threads": 2}},
    )
    assert (ids, error) == (["shop", "wiki"], "")


def test_a_project_that_may_be_in_a_bad_manifest_is_not_told(folder: Path) -> None:
    """Its manifest is."""
    write(folder / "bad.json", "{")
    _, error = load(folder, per_project={"other": {"threads": 2}}, group_args={"no": {}})
    assert "per_project" not in error
    assert "bad.json" in error


def test_what_is_wrong_for_all_projects_may_be_right_for_one(folder: Path) -> None:
    """`per_project` beats the arguments for all, also where those select nothing."""
    ids, error = load(folder, select="fct_orders", per_project={"wiki": {"select": "stg_pages"}})
    assert (ids, error) == (["shop", "wiki"], "")


def test_names_of_nodes_that_are_not_selected_are_right(folder: Path) -> None:
    """Parts of one project may share their arguments."""
    dag = dbt_dag(
        manifest=folder / "shop.json",
        conn_id="w",
        select="stg_orders",
        group_args={"marts": {"pool": "x"}},
        tag_args={"heavy": {"retries": 5}},
    )
    assert dag.task_ids == ["stg_orders"]


def test_groups_of_task_groups_are_checked(folder: Path) -> None:
    with DAG("d"), pytest.raises(ConfigError, match="no tag 'hevy', did you mean 'heavy'"):
        dbt_task_group(
            group_id="g",
            manifest=folder / "shop.json",
            conn_id="w",
            tag_args={"hevy": {"retries": 5}},
        )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ful_refresh", "full_refresh"),
        ("fullrefresh", "full_refresh"),
        ("selct", "select"),
        ("excluded", "exclude"),
        ("dry-run", "dry_run"),
        ("models", "mode"),
    ],
)
def test_a_misspelt_param_of_a_run_fails_the_task(folder: Path, name: str, nearest: str) -> None:
    """Without it the run would do everything as ever."""
    dag = dbt_dag(manifest=folder / "wiki.json", conn_id="w")
    run = Run(dag, **{name: True})
    run.one(dag.get_task("stg_pages"))
    assert isinstance(run.errors["stg_pages"], AirflowFailException)
    assert f"{name!r}, did you mean {nearest!r}?" in str(run.errors["stg_pages"])


def test_what_no_param_is_near_is_refused_in_a_dag_of_ours(folder: Path) -> None:
    dag = dbt_dag(manifest=folder / "wiki.json", conn_id="w", params={"why": "x"})
    run = Run(dag, why="because", ticket="7")
    run.one(dag.get_task("stg_pages"))
    assert "it has no param 'ticket'. It takes" in str(run.errors["stg_pages"])


def test_somebody_elses_dag_keeps_its_conf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is nearly one of our params, and the DAG declares some of them."""
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "duckdb", "host": ":memory:"}))
    manifest_ = folder / "wiki.json"
    with DAG("theirs", params={"dry_run": Param(True)}) as dag:
        dbt_task_group(group_id="g", manifest=manifest_, conn_id="w")
    (task,) = dag.tasks
    run = Run(dag, ticket="7", exclud="x")
    run.one(task)
    assert "'exclud', did you mean 'exclude'?" in str(run.errors[task.task_id])
    with DAG("others") as dag:
        dbt_task_group(group_id="g", manifest=manifest_, conn_id="w")
    (task,) = dag.tasks
    run = Run(dag, exclud="x", dry_run=True)
    run.one(task)
    assert "conf" not in str(run.errors.get(task.task_id))
