"""The SLA file on DAGs: those of manifests, and hand-written ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import dbt_dag, load_dags, load_slas, set_sla
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.sla.policies import Sla

FILE = """
timezone: Europe/Berlin
slas:
  - {dag: tiny, by: "07:00"}
  - {dag: "*", task: "fct_*", within: 30m}
  - {dag: shop, group: bare, by: "08:00"}
  - {dag: shop, task: missing, by: "08:00"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slas.yaml"
    path.write_text(FILE)
    return path


def slas(dag: DAG) -> list[Sla]:
    serialized = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return list(slas_from_json(serialized.default_args.get("slas", [])))


def project() -> dict[str, Any]:
    table = {"materialized": "table"}
    return manifest(
        model("stg_orders", config=table), model("fct_orders", "stg_orders", config=table)
    )


def test_a_manifests_dag_takes_it(file: Path, tmp_path: Path) -> None:
    dag = dbt_dag(manifest=write(tmp_path / "m.json", project()), conn_id="wh", slas=file)
    assert sorted((sla.kind, sla.task_id, sla.name) for sla in slas(dag)) == [
        (SubjectKind.DAG, None, "by 07:00 Europe/Berlin"),
        (SubjectKind.TASK, "fct_orders", "within 30 min"),
    ]
    assert dag.deadline is not None


def test_a_folder_of_manifests_takes_it_by_a_path_beside_the_dag_file(
    file: Path, tmp_path: Path
) -> None:
    write(tmp_path / "dags" / "manifest.json", project())
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "file.py")}
    [dag] = load_dags("dags", namespace, conn_id="wh", slas="slas.yaml")
    assert len(slas(dag)) == 2


def test_a_wrong_file_is_an_import_error(file: Path, tmp_path: Path) -> None:
    file.write_text("slas: [{dag: tiny, by: 7}]")
    write(tmp_path / "dags" / "manifest.json", project())
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "file.py")}
    assert load_dags("dags", namespace, conn_id="wh", slas="slas.yaml") == []
    [errors] = [each for each in namespace.values() if isinstance(each, DAG)]
    with pytest.raises(ValueError, match=r"\$\.slas\[0\]\.by: Expected `str"):
        errors.validate()


def test_a_hand_written_dag_takes_it(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DAG("shop") as dag:
        EmptyOperator(task_id="fct_a")
        with TaskGroup("bare", prefix_group_id=False):
            EmptyOperator(task_id="b")
        set_sla(dag, within="1h")
        load_slas(file, dag)
    found = {sla.task_id or "": sla for sla in slas(dag)}
    assert set(found) == {"", "fct_a", "bare"}
    assert found["bare"].members == ("b",)
    assert "DAG shop has no task missing: nothing is watched there" in caplog.text


def test_a_changed_file_is_read_again_and_a_missing_one_is_told(file: Path) -> None:
    with DAG("shop") as dag:
        EmptyOperator(task_id="fct_a")
    file.write_text("slas: [{dag: shop, by: '05:00'}]")
    load_slas(file, dag)
    assert [sla.name for sla in slas(dag)] == ["by 05:00 UTC"]
    with pytest.raises(ConfigError, match=r"The SLA file .*none\.yaml cannot be read: No such"):
        load_slas(file.with_name("none.yaml"), dag)


def test_a_worker_does_not_read_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "shop")
    with DAG("shop") as dag:
        load_slas(file.with_name("none.yaml"), dag)
    assert "slas" not in dag.default_args
