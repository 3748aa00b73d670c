"""Ids that Airflow would refuse are shortened, each to one of its own; and empty selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from airflow_dataops import dbt_dag, dbt_task_group, load_dags
from airflow_dataops.cli.app import app
from airflow_dataops.core.plan.names import fitted
from airflow_dataops.core.selection import SelectionWarning
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import data_test

if TYPE_CHECKING:
    from pathlib import Path

LONG = "m" * 246
OWN = {"meta": {"airflow": {"pool": "p"}}, "enabled": True, "severity": "error"}


def long_project() -> dict[str, Any]:
    """Names as long as they can be, wherever an id is made of one."""
    folder = "f" * 140
    models = [model(f"{LONG}{n}", fqn=["tiny", folder, folder, f"{LONG}{n}"]) for n in range(3)]
    tests = [
        {**data_test(f"{LONG}{name}", f"{LONG}0"), "config": OWN, "meta": OWN["meta"]}
        for name in "ab"
    ]
    joint = data_test(f"{LONG}j", f"{LONG}0", f"{LONG}1")
    below = model("below", f"{LONG}0", f"{LONG}1", f"{LONG}2", fqn=["tiny", folder, "below"])
    found = manifest(*models, *tests, joint, below)
    source = {
        "unique_id": f"source.tiny.{LONG}.{LONG}",
        "resource_type": "source",
        "name": LONG,
        "source_name": LONG,
        "identifier": "s",
        "package_name": "tiny",
        "fqn": ["tiny", LONG, LONG],
        "database": "wh",
        "schema": "raw",
        "loaded_at_field": "at",
        "freshness": {"warn_after": {"count": 1, "period": "day"}},
        "original_file_path": "models/s.yml",
        "path": "models/s.yml",
    }
    return {**found, "sources": {source["unique_id"]: source}}


def check(dag: DAG, tasks: int) -> None:
    """Airflow takes the DAG; no task was lost to another id; edges lead to tasks."""
    dag.validate()
    DagSerialization.to_dict(dag)
    assert len(dag.task_ids) == tasks
    assert all(len(id_) <= 250 for id_ in dag.task_ids)
    for task in dag.tasks:
        assert task.upstream_task_ids | task.downstream_task_ids <= set(dag.task_ids)


@pytest.mark.parametrize("group_by", ["layer", "folder", "schema", "none"])
@pytest.mark.parametrize("granularity", ["node", "chain", "layer", "dag"])
def test_all_ids_fit(tmp_path: Path, granularity: str, group_by: str) -> None:
    path = write(tmp_path / "m.json", long_project())
    arguments: Any = {"granularity": granularity, "group_by": group_by, "assets": "tested"}
    dag = dbt_dag(manifest=path, conn_id="w", **arguments)
    check(dag, len(dag.task_ids))
    with DAG("own") as own:
        dbt_task_group(group_id="g" * 149, manifest=path, conn_id="w", **arguments)
    check(own, len(dag.task_ids))
    again = dbt_dag(manifest=path, conn_id="w", **arguments)
    assert again.task_ids == dag.task_ids


def test_a_worker_finds_a_task_by_its_short_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "m.json", long_project())

    def build() -> DAG:
        with DAG("own") as own:
            dbt_task_group(group_id="g" * 149, manifest=path, conn_id="w")
        return own

    whole = build()
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "own")
    for task in whole.tasks:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", task.task_id)
        alone: Any = build().get_task(task.task_id)
        assert alone.nodes == task.nodes  # type: ignore[attr-defined]
        assert alone.upstream_task_ids == task.upstream_task_ids


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab_.", min_size=1, max_size=400), unique=True, max_size=20))
def test_fitted_ids_stay_different(ids: list[str]) -> None:
    assert len({fitted(id_) for id_ in ids}) == len(ids)
    assert all(fitted(id_) == id_ for id_ in ids if len(id_) <= 250)
    assert all(len(fitted(id_)) <= 250 for id_ in ids)


def test_what_leaves_no_room_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "m" / "m.json", manifest(model("a")))
    with DAG("own"), pytest.raises(ConfigError, match=r"'ggg.*leaves no room"):
        dbt_task_group(group_id="g" * 180, manifest=path, conn_id="w")
    with pytest.raises(ConfigError, match=r"'tiny' has the dag id ddd.*of 251 letters"):
        dbt_dag(manifest=path, conn_id="w", dag_id="d" * 251)
    space: dict[str, Any] = {}
    load_dags(path.parent, space, conn_id="w", dag_id="d" * 245, selectors={"part": "a"})
    with pytest.raises(ValueError, match="part `part`, has the dag id ddd"):
        space["dataops_errors_0"].validate()


@pytest.fixture
def idle(tmp_path: Path) -> Path:
    """A project with a model that is built into others, and a dashboard."""
    found = manifest(
        model("eph", config={"materialized": "ephemeral", "enabled": True}), model("a", "eph")
    )
    exposure = {
        "unique_id": "exposure.tiny.x",
        "name": "x",
        "resource_type": "exposure",
        "package_name": "tiny",
        "fqn": ["tiny", "x"],
        "type": "dashboard",
        "owner": {"name": "n"},
        "original_file_path": "x.yml",
        "path": "x.yml",
        "depends_on": {"nodes": ["model.tiny.a"], "macros": []},
    }
    return write(
        tmp_path / "m" / "m.json", {**found, "exposures": {exposure["unique_id"]: exposure}}
    )


@pytest.mark.parametrize("select", ["eph", "exposure:x", "eph exposure:x"])
def test_a_selection_of_which_nothing_runs_is_refused(idle: Path, select: str) -> None:
    """It was a DAG without tasks, whose runs are green."""
    with pytest.raises(ConfigError, match="the selection leaves a DAG without tasks"):
        dbt_dag(manifest=idle, conn_id="w", select=select)
    with pytest.warns(SelectionWarning, match="without tasks"):
        assert dbt_dag(manifest=idle, conn_id="w", select=select, on_empty="warn").task_ids == []


@pytest.mark.parametrize("unassigned", ["part", "skip"])
def test_a_part_of_which_nothing_runs_is_refused(idle: Path, unassigned: str) -> None:
    """It was left out in silence, or the whole project was built for it."""
    space: dict[str, Any] = {}
    load_dags(idle.parent, space, conn_id="w", selectors={"x": "eph"}, unassigned=unassigned)
    assert list(space) == ["dataops_errors_0"]
    with pytest.raises(ValueError, match=r"selectors\['x'\] leaves a DAG without tasks"):
        space["dataops_errors_0"].validate()
    with pytest.warns(SelectionWarning, match="without tasks"):
        dags = load_dags(
            idle.parent,
            {},
            conn_id="w",
            selectors={"x": "eph"},
            unassigned=unassigned,
            on_empty="warn",
        )
    tasks = {dag.dag_id: dag.task_ids for dag in dags}
    assert tasks == ({"tiny__rest": ["a"]} if unassigned == "part" else {"tiny": []})


def test_a_part_that_the_whole_leaves_out_is_told_as_such(idle: Path) -> None:
    """It was said to be of ephemeral models; `plan` says the same as a DAG file."""
    write(idle, manifest(model("a"), model("b", "a")))
    told = "takes model.tiny.b, which select and exclude of the whole leave out"
    space: dict[str, Any] = {}
    load_dags(idle.parent, space, conn_id="w", select="a", selectors={"x": "a", "y": "b"})
    with pytest.raises(ValueError, match=rf"m\.json: selectors\['y'\] leaves .*: it {told}"):
        space["dataops_errors_0"].validate()
    options = ["plan", str(idle), "-s", "a", "--selector", "x=a", "--selector", "y=b"]
    assert told in str(CliRunner().invoke(app, options).exception)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"selectors": {"": "a"}}, r"selectors\[''\]: name the part"),
        ({"selectors": {5: "a"}}, r"selectors\[5\]: name the part"),
        ({"selectors": ["a"]}, r"selectors=\['a'\]: write what each part takes"),
        ({"selectors": {"x": "nope"}}, r"selectors\['x'\]: .*nope"),
        ({"select": "nope"}, "nope"),
        ({"start_on": "source:nope"}, "nope"),
        ({"split_by": "colour"}, "split_by"),
        ({"granularity": "x"}, "granularity"),
    ],
)
def test_an_error_names_its_manifests_once(
    tmp_path: Path, arguments: dict[str, Any], error: str
) -> None:
    for name in ("one", "two"):
        write(tmp_path / "m" / f"{name}.json", manifest(model("a", project=name), project=name))
    space: dict[str, Any] = {}
    assert load_dags(tmp_path / "m", space, conn_id="w", **arguments) == []
    with pytest.raises(ValueError, match=error) as caught:
        space["dataops_errors_0"].validate()
    assert str(caught.value).count("one.json") == str(caught.value).count("two.json") == 1
    assert str(caught.value).startswith("2 of the manifests")
