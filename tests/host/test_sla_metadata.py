"""SLAs of a dbt project's metadata, on its DAGs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, TaskGroup
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, dbt_task_group, set_sla
from airflow_dataops.core.assets import label
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.dag_factory.load import load_dags
from tests.host.manifests import manifest as manifest_of
from tests.host.manifests import model, write

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.sla.policies import Sla


def project(**more: Any) -> dict[str, Any]:
    meta = {"sla_hours": 2, "freshness_hours": 1, "critical": True}
    asked = {"sla": {"by": "07:00", "timezone": "Europe/Berlin"}} | more
    return manifest_of(
        model("orders", config={"materialized": "table", "meta": meta}),
        model("board", "orders", config={"materialized": "view", "meta": asked}),
    )


def slas(dag: DAG) -> list[Sla]:
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return list(slas_from_json(serialized.default_args.get("slas", [])))


def test_the_guides_keys_are_slas_of_the_dag(tmp_path: Path) -> None:
    dag = dbt_dag(manifest=write(tmp_path / "m.json", project()), conn_id="wh")
    found = {(sla.kind, sla.task_id or sla.subject): sla.name for sla in slas(dag)}
    [asset] = dag.task_dict["orders"].outlets
    assert found == {
        (SubjectKind.TASK, "orders"): "2 h after the run's start",
        (SubjectKind.ASSET, label(asset.name)): "at most 1 h old",
        (SubjectKind.TASK, "board"): "by 07:00 Europe/Berlin",
    }
    assert dag.tags == {"dbt", "sla"}
    assert dag.deadline is not None
    assert [alert.name for alert in dag.deadline] == ["SLA by 07:00 Europe/Berlin"]  # type: ignore[union-attr]


def test_in_a_task_group_they_are_its_tasks_and_join_those_of_the_dag(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", project())
    with DAG("shop") as dag:
        first = dbt_task_group(group_id="first", manifest=path, conn_id="wh")
        with TaskGroup("outer"):
            dbt_task_group(group_id="second", manifest=path, conn_id="other.wh")
        set_sla(first, within="2h")
    found = sorted(sla.task_id or sla.subject for sla in slas(dag))
    assert found == [
        "first",
        "first.board",
        "first.orders",
        "other.wh/wh/main/orders",
        "outer.second.board",
        "outer.second.orders",
        "wh/wh/main/orders",
    ]
    assert {sla.dag_id for sla in slas(dag)} == {"shop"}


def test_a_group_of_the_plan_can_have_one_by_its_tasks(tmp_path: Path) -> None:
    """Its id is not the beginning of their ids."""
    dag = dbt_dag(manifest=write(tmp_path / "m.json", project()), conn_id="wh")
    [group, *_] = [each for id_, each in dag.task_group_dict.items() if id_]
    set_sla(group, by="06:00")
    [sla] = [sla for sla in slas(dag) if sla.kind is SubjectKind.TASK_GROUP]
    assert sla.members


def test_a_part_of_a_split_project_has_its_own(tmp_path: Path) -> None:
    write(tmp_path / "dags" / "manifest.json", project())
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dags.py")}
    selectors = {"left": "orders", "right": "board"}
    dags = load_dags("dags", namespace, conn_id="wh", selectors=selectors)
    by_dag = {dag.dag_id: {sla.task_id for sla in slas(dag)} - {None} for dag in dags}
    assert by_dag == {"tiny__left": {"orders"}, "tiny__right": {"board"}}


@pytest.mark.parametrize("task_id", ["orders", "board"])
def test_a_worker_builds_its_task_without_them(
    task_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "m.json", project())
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "tiny")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", task_id)
    dag = dbt_dag(manifest=path, conn_id="wh")
    assert list(dag.task_dict) == [task_id]
    assert "slas" not in dag.default_args
