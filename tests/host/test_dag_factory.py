"""The DAG of a real project: its serialized form, its groups, its assets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, dbt_task_group
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "dags" / "manifests" / "shop" / "manifest.json"

PRINT_HASH = """
import sys
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
from airflow_dataops import dbt_dag
dag = dbt_dag(manifest=sys.argv[1], conn_id="warehouse", dag_id="shop")
print(SerializedDagModel.hash(DagSerialization.to_dict(dag)))
"""


def shop(**arguments: Any) -> DAG:
    return dbt_dag(manifest=SHOP, conn_id="warehouse", **arguments)


def hash_in_fresh_process(seed: int, home: Path) -> str:
    environment = os.environ | {"PYTHONHASHSEED": str(seed), "AIRFLOW_HOME": str(home)}
    # The folder is in the serialized DAG, and below Airflow's home unless it is said.
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = "/dags"
    result = subprocess.run(
        [sys.executable, "-c", PRINT_HASH, str(SHOP)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()[-1]


def test_the_serialized_dag_survives_airflows_round_trip() -> None:
    dag = shop()
    encoded = DagSerialization.to_dict(dag)
    DagSerialization.validate_schema(encoded)
    decoded = DagSerialization.from_dict(json.loads(json.dumps(encoded)))
    assert decoded.dag_id == dag.dag_id
    assert decoded.task_dict.keys() == dag.task_dict.keys()
    for task in dag.tasks:
        twin = decoded.get_task(task.task_id)
        for field in ("upstream_task_ids", "downstream_task_ids", "owner", "retries", "doc_md"):
            assert getattr(twin, field) == getattr(task, field), (task.task_id, field)
        assert [asset.uri for asset in twin.outlets] == [asset.uri for asset in task.outlets]
        assert twin.task_type == type(task).__name__


def test_parses_in_fresh_processes_give_one_hash(tmp_path: Path) -> None:
    """Two processes here, with a cold and a warm cache; a hundred in the slow proof."""
    assert len({hash_in_fresh_process(seed, tmp_path) for seed in range(2)}) == 1


@pytest.mark.slow
def test_a_hundred_parses_give_one_hash(tmp_path: Path) -> None:
    hashes = Counter(hash_in_fresh_process(seed, tmp_path / str(seed % 3)) for seed in range(100))
    print(f"100 parses: {dict(hashes)}")  # noqa: T201 - the figure of the proof
    assert len(hashes) == 1


def test_no_sql_is_in_the_serialized_dag() -> None:
    encoded = DagSerialization.to_dict(shop())
    params = encoded["dag"].pop("params")
    assert "select" in dict(params)  # the one in the trigger form
    assert "select" not in json.dumps(encoded).lower()


def test_edges_are_the_same_as_airflows_own(tmp_path: Path) -> None:
    """`a >> b` gives the same serialized DAG, byte for byte."""
    path = write(tmp_path / "m.json", manifest(model("a"), model("b", "a"), model("c", "a", "b")))
    ours = dbt_dag(manifest=path, conn_id="warehouse", dag_id="x")
    theirs = dbt_dag(manifest=path, conn_id="warehouse", dag_id="x")
    for task in theirs.tasks:
        task.upstream_task_ids.clear()
        task.downstream_task_ids.clear()
    for before, after in [("a", "b"), ("a", "c"), ("b", "c")]:
        theirs.get_task(before) >> theirs.get_task(after)
    assert digest(ours) == digest(theirs)


def digest(dag: DAG) -> str:
    text = json.dumps(DagSerialization.to_dict(dag), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("group_by", ["layer", "folder", "tag", "schema", "none"])
def test_airflow_can_draw_every_grouping(group_by: str) -> None:
    dag = shop(group_by=group_by)
    decoded = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    groups: list[Any] = [decoded.task_group]
    while groups:
        children = groups.pop().topological_sort()
        groups += [child for child in children if hasattr(child, "topological_sort")]
    assert sorted(dag.task_ids) == sorted(shop().task_ids)


def test_a_model_emits_the_asset_of_its_table() -> None:
    (asset,) = shop().get_task("fct_orders").outlets
    assert asset.uri == "dataops://warehouse/shop/marts/fct_orders"
    assert asset.name == "dataops://warehouse/shop/marts/fct_orders"


def test_odd_table_names_are_valid_assets(tmp_path: Path) -> None:
    odd = model("a", alias='Ünï "quoted" /?#', schema="s'x;--")
    path = write(tmp_path / "m.json", manifest(odd))
    (asset,) = dbt_dag(manifest=path, conn_id="warehouse").get_task("a").outlets
    assert asset.uri == (
        "dataops://warehouse/wh/s%27x%3B--/%C3%9Cn%C3%AF%20%22quoted%22%20%2F%3F%23"
    )


def test_select_and_exclude_narrow_the_dag() -> None:
    dag = shop(select="+fct_orders", exclude="resource_type:test")
    assert "fct_orders" in dag.task_ids
    assert "dim_customers" not in dag.task_ids
    assert not [id_ for id_ in dag.task_ids if "test" in id_]


def test_descriptions_owners_and_schedules_come_from_the_project() -> None:
    dag = shop()
    assert dag.schedule == "@daily"
    assert dag.get_task("fct_orders").owner == "finance@example.com"
    assert dag.get_task("fct_orders").doc_md


def test_a_model_may_be_called_like_a_group(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(model("marts"), model("fct_a", "marts")))
    dag = dbt_dag(manifest=path, conn_id="warehouse")
    assert sorted(dag.task_ids) == ["fct_a", "marts"]
    assert "marts_group" in dag.task_group.children


def test_a_group_in_somebodys_dag_has_its_own_prefix_and_can_be_wired() -> None:
    with DAG("mine") as dag:
        with TaskGroup("before") as before:
            EmptyOperator(task_id="nothing")
        alone = {"exclude": "test_name:relationships"}
        first = dbt_task_group(
            group_id="one", manifest=SHOP, conn_id="wh", select="countries", **alone
        )
        second = dbt_task_group(
            group_id="two",
            manifest=SHOP,
            conn_id="wh",
            select="countries+",
            exclude="test_name:relationships",
            default_args={"retries": 9},
        )
        before >> first >> second
    assert "one.countries" in dag.task_ids
    assert dag.get_task("one.countries").upstream_task_ids == {"before.nothing"}
    assert dag.get_task("two.countries").upstream_task_ids == {"one.countries.test"}
    assert dag.get_task("one.countries").upstream_task_ids == {"before.nothing"}
    assert dag.get_task("two.countries").retries == 9
    assert isinstance(DagSerialization.to_dict(dag), dict)


def test_a_group_outside_of_a_dag_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match="call it inside `with DAG"):
        dbt_task_group(group_id="g", manifest=SHOP, conn_id="wh")


def test_a_relative_manifest_is_found_from_the_calling_file() -> None:
    relative = os.path.relpath(SHOP, Path(__file__).parent)
    assert dbt_dag(manifest=relative, conn_id="wh").dag_id == "shop"


def test_a_python_model_needs_dbt_and_goes_to_cosmos(tmp_path: Path) -> None:
    python = model("p", language="python")
    path = write(tmp_path / "m.json", manifest(python, model("q", "p")))
    with pytest.raises(Exception, match="pass dbt=DbtConfig"):
        dbt_dag(manifest=path, conn_id="wh")


@pytest.mark.parametrize("prefix_group_id", [True, False])
def test_ids_in_a_group_without_groups_are_prefixed_once(
    tmp_path: Path, prefix_group_id: bool
) -> None:
    """Built by Airflow or copied: the ids that the edges name."""
    file = write(tmp_path / "m.json", manifest(*(model(name) for name in "abcd")))
    with DAG("d") as dag:
        dbt_task_group(
            group_id="shop",
            manifest=file,
            conn_id="w",
            group_by="none",
            prefix_group_id=prefix_group_id,
        )
    prefix = "shop." if prefix_group_id else ""
    assert set(dag.task_dict) == {prefix + name for name in "abcd"}
