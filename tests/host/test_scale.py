"""What keeps parsing cheap and DAG versions calm, without a clock."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG, Asset
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, dbt_task_group
from airflow_dataops.adapters import manifest_store
from airflow_dataops.core.manifests.readers import DbtReader
from airflow_dataops.core.model import Relation
from airflow_dataops.dag_factory.load import load_dags
from airflow_dataops.operators.assets import table_asset
from benchmarks import contestants
from benchmarks.manifests import manifest
from tests.host.manifests import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known on this host, nor in this process."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    manifest_store._projects.clear()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the sources of the manifests that are decoded."""
    found: list[str] = []
    read = DbtReader.read

    def counting(self: DbtReader, data: bytes, *, source: str) -> Any:
        found.append(source)
        return read(self, data, source=source)

    monkeypatch.setattr(DbtReader, "read", counting)
    return found


def hash_of(path: Path, **arguments: Any) -> str:
    dag = dbt_dag(manifest=path, conn_id="w", dag_id="x", **arguments)
    found: str = SerializedDagModel.hash(DagSerialization.to_dict(dag))
    return found


@pytest.mark.parametrize("count", [36, 100])
def test_groups_of_one_manifest_decode_it_once(
    count: int, tmp_path: Path, reads: list[str]
) -> None:
    path = write(tmp_path / "m.json", manifest(200, slices=count))
    with DAG("x") as dag:
        for number in range(count):
            dbt_task_group(
                group_id=f"g{number}", manifest=path, conn_id="w", select=f"tag:slice_{number}"
            )
    assert len(dag.task_dict) == 400
    assert len(reads) == 1


def test_a_second_process_decodes_nothing(tmp_path: Path, reads: list[str]) -> None:
    path = write(tmp_path / "m.json", manifest(20))
    hash_of(path)
    manifest_store._projects.clear()
    hash_of(path)
    assert len(reads) == 1


def test_a_new_compilation_of_the_same_models_is_no_new_version(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(20))
    before = hash_of(path)
    write(path, manifest(20, generated_at="2027-01-01T00:00:00Z"))
    assert hash_of(path) == before


def test_a_changed_model_is_a_new_version(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(20))
    before = hash_of(path)
    content = manifest(20)
    node = content["nodes"]["model.bench.stg_model_00003"]
    node["compiled_code"] += " where true"
    write(path, content)
    changed = hash_of(path)
    assert changed != before
    assert hash_of(path) == changed


def test_a_changed_test_is_a_new_version(tmp_path: Path) -> None:
    content = manifest(20)
    path = write(tmp_path / "m.json", content)
    before = hash_of(path)
    next(node for id_, node in content["nodes"].items() if id_.startswith("test."))["config"][
        "severity"
    ] = "WARN"
    write(path, content)
    assert hash_of(path) != before


def test_a_model_that_is_not_selected_may_change(tmp_path: Path) -> None:
    content = manifest(20)
    path = write(tmp_path / "m.json", content)
    before = hash_of(path, select="marts")
    content["nodes"]["model.bench.stg_model_00003"]["compiled_code"] += " where true"
    content["nodes"]["model.bench.stg_model_00003"]["description"] = "Another one."
    write(path, content)
    assert hash_of(path, select="marts") == before
    assert hash_of(path) != before


def test_the_order_of_nodes_in_the_file_does_not_count(tmp_path: Path) -> None:
    content = manifest(20)
    before = hash_of(write(tmp_path / "m.json", content))
    content["nodes"] = dict(reversed(content["nodes"].items()))
    assert hash_of(write(tmp_path / "m.json", content)) == before


def test_the_order_of_files_in_the_folder_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(tmp_path), "rglob", lambda self, pattern: iter(()))
    for name in ("one", "two"):
        content = manifest(5)
        content["metadata"]["project_name"] = name
        write(tmp_path / "m" / f"{name}.json", content)
    hashes = []
    listed = sorted((tmp_path / "m").iterdir())
    for order in (listed, listed[::-1]):
        monkeypatch.setattr(type(tmp_path), "glob", lambda self, _, order=order: iter(order))
        dags = load_dags("m", {"__file__": str(tmp_path / "dags.py")}, conn_id="w")
        hashes.append([SerializedDagModel.hash(DagSerialization.to_dict(dag)) for dag in dags])
    assert len(hashes[0]) == 2
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_one_broken_manifest_of_300_leaves_299(tmp_path: Path) -> None:
    for number in range(300):
        content: Any = manifest(1)
        content["metadata"]["project_name"] = f"project_{number}"
        write(tmp_path / "m" / f"{number}.json", "{" if number == 7 else content)
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dags.py")}
    assert len(load_dags("m", namespace, conn_id="w")) == 299
    (error,) = [value for name, value in namespace.items() if name.startswith("dataops_errors")]
    with pytest.raises(ValueError, match=r"1 of the manifests"):
        error.validate()


def test_the_params_of_the_dag_are_not_copied_into_its_tasks(tmp_path: Path) -> None:
    """A task keeps its own; Airflow merges the DAG's when it runs."""
    path = write(tmp_path / "m.json", manifest(5))
    dag = dbt_dag(manifest=path, conn_id="w", operator_args={"params": {"mine": 1}})
    assert "full_refresh" in dag.params
    assert all(list(task.params) == ["mine"] for task in dag.tasks)


def test_the_serialized_dag_is_small(tmp_path: Path) -> None:
    """At most 450 bytes a task beyond what Airflow writes of an empty operator."""
    from benchmarks.child import serialized

    path = write(tmp_path / "m.json", manifest(100))
    assert serialized("ours", path, 0)["beyond"] <= 450


def test_what_is_measured_by_hand_is_the_same_dag(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(50))
    mine = DagSerialization.to_dict(contestants.ours(path)())["dag"]
    by_hand = DagSerialization.to_dict(contestants.by_hand(path)())["dag"]
    assert mine["tasks"] == by_hand["tasks"]


@pytest.mark.parametrize("name", ["orders", "Größe", "a b", "a/b?c#d", "100%", "@x:y", "t" * 1200])
def test_an_assembled_asset_is_the_one_that_airflow_makes(name: str) -> None:
    for relation in (
        Relation(identifier=name, schema="main", database="wh"),
        Relation(identifier="t", schema=name),
        Relation(identifier=name),
    ):
        asset = table_asset(relation, "conn-1", "duckdb")
        assert asset == Asset(asset.name)
        assert asset.uri == asset.name


def test_a_warm_parse_loads_neither_readers_nor_selection(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", manifest(5))
    script = (
        "import sys\n"
        "from airflow_dataops import dbt_dag\n"
        f"dbt_dag(manifest={str(path)!r}, conn_id='w')\n"
        "dear = ('core.manifests.dbt.read', 'core.selection.select', 'core.plan.make')\n"
        "dear += ('core.decoding', 'core.sla.spec', 'core.yaml_loader')\n"
        "print([name for name in dear if f'airflow_dataops.{name}' in sys.modules])\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        for _ in range(2)
    ]
    assert said[1] == "[]"
