"""What the official OpenLineage provider extracts from the operators, with the real provider."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.host.manifests import model
from tests.host.runs import Run
from tests.host.test_fused_tasks import dag_of, data_test, sql, warehouse

if TYPE_CHECKING:
    from pathlib import Path

extractors = pytest.importorskip("airflow.providers.openlineage.extractors.manager")

__all__ = ["warehouse"]

NODES = (
    model("a", **sql("select 1 as id union all select 2")),
    data_test("a_ok", "a"),
    model("b", "a", **sql('select id from "wh"."main"."a"')),
)


def extracted(operator: Any, *, complete: bool = True) -> Any:
    """What the provider's own manager gets out of an operator that has run."""
    from airflow.utils.state import TaskInstanceState

    state = TaskInstanceState.SUCCESS if complete else TaskInstanceState.RUNNING
    manager = extractors.ExtractorManager()
    return manager.extract_metadata(
        dagrun=SimpleNamespace(run_id="r1"),
        task=operator,
        task_instance_state=state,
        task_instance=SimpleNamespace(try_number=1, map_index=-1),
    )


def names(datasets: list[Any]) -> list[str]:
    return [dataset.name for dataset in datasets]


def test_a_model_tells_inputs_outputs_rows_and_sql(warehouse: Path, tmp_path: Path) -> None:
    dag = dag_of(tmp_path, *NODES)
    Run(dag).all()
    found = extracted(dag.get_task("b"))
    assert names(found.inputs) == ["wh.main.a"]
    (output,) = found.outputs
    assert (output.namespace, output.name) == (f"duckdb://{warehouse}", "wh.main.b")
    assert output.outputFacets["outputStatistics"].rowCount == 2
    assert "select id from" in found.job_facets["sql"].query


def test_a_test_reads_and_writes_nothing(warehouse: Path, tmp_path: Path) -> None:
    dag = dag_of(tmp_path, *NODES)
    Run(dag).all()
    (task,) = [task for task in dag.tasks if task.task_type == "DbtTestOperator"]
    found = extracted(task)
    assert (names(found.inputs), names(found.outputs)) == (["wh.main.a"], [])


def test_a_fused_task_tells_what_all_of_its_nodes_wrote(warehouse: Path, tmp_path: Path) -> None:
    dag = dag_of(tmp_path, *NODES, granularity="dag")
    Run(dag).all()
    found = extracted(dag.get_task("dag"))
    assert names(found.inputs) == []
    assert {o.name: o.outputFacets["outputStatistics"].rowCount for o in found.outputs} == {
        "wh.main.a": 2,
        "wh.main.b": 2,
    }


def test_before_it_runs_it_tells_what_it_will_do(warehouse: Path, tmp_path: Path) -> None:
    found = extracted(dag_of(tmp_path, *NODES).get_task("b"), complete=False)
    assert (names(found.inputs), names(found.outputs)) == (["wh.main.a"], ["wh.main.b"])
    assert found.job_facets == {}


def test_postgres_has_the_namespace_that_other_tools_give_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow_dataops.operators.lineage import namespace_of

    monkeypatch.setenv("AIRFLOW_CONN_PG", "postgres://user:secret@db.example/shop")
    assert namespace_of("pg") == "postgres://db.example:5432"


def test_a_load_tells_its_target_and_rows(warehouse: Path) -> None:
    from airflow.sdk import DAG

    from airflow_dataops.operators.loads.replace import ReplaceOperator

    with DAG("loads") as dag:
        task = ReplaceOperator(task_id="load", target="main.orders", conn_id="w", sql="select 1 i")
    task._tell_load("main.orders", 3, None)
    task.script = "insert into orders"
    found = extracted(dag.get_task("load"))
    (output,) = found.outputs
    assert (output.namespace, output.name) == (f"duckdb://{warehouse}", "main.orders")
    assert output.outputFacets["outputStatistics"].rowCount == 3
    assert found.job_facets["sql"].query == "insert into orders"


def orders() -> Any:
    from airflow_dataops import ConnectionQuery

    sql = 'with o as (select * from raw.orders) select * from o join "Customers" using (id)'
    return ConnectionQuery("pg", sql)


def files() -> Any:
    from airflow_dataops import Files

    return Files("s3://aws@lake/orders/*.csv", "csv")


def topic() -> Any:
    from airflow_dataops import KafkaTopic

    return KafkaTopic("queue", "orders", values="text")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"sql": "select * from raw.a, wh.raw.b"}, [("w", "raw.a"), ("w", "wh.raw.b")]),
        ({"sql": "no sql ("}, []),
        ({"table": "raw.orders"}, [("w", "raw.orders")]),
        (
            {"source": orders},
            [
                ("postgres://db.example:5432", "Customers"),
                ("postgres://db.example:5432", "raw.orders"),
            ],
        ),
        ({"source": files}, [("s3://lake", "orders/*.csv")]),
        ({"source": topic}, [("kafka://broker:9092", "orders")]),
    ],
    ids=["query", "no query", "table", "connection", "files", "topic"],
)
@pytest.mark.parametrize("complete", [False, True])
def test_a_load_tells_what_it_reads(
    warehouse: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: dict[str, Any],
    expected: list[tuple[str, str]],
    complete: bool,
) -> None:
    from airflow.sdk import DAG

    from airflow_dataops.operators.loads.replace import ReplaceOperator

    monkeypatch.setenv("AIRFLOW_CONN_PG", "postgres://user:secret@db.example/shop")
    kafka = '{"conn_type": "kafka", "extra": {"bootstrap.servers": "broker:9092,other:9092"}}'
    monkeypatch.setenv("AIRFLOW_CONN_QUEUE", kafka)
    rows = {name: value() if callable(value) else value for name, value in rows.items()}
    with DAG("loads") as dag:
        ReplaceOperator(task_id="load", target="main.orders", conn_id="w", **rows)
    found = extracted(dag.get_task("load"), complete=complete)
    here = f"duckdb://{warehouse}"
    assert [(each.namespace, each.name) for each in found.inputs] == [
        (here if namespace == "w" else namespace, name) for namespace, name in expected
    ]
    assert names(found.outputs) == ["main.orders"]
