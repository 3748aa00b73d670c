"""What the operators report: rows and checks per node, under the tags that the author chose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops.plugins.tags import run_tags, task_tags
from tests.fakes.metric_sink import FakeSink
from tests.host.manifests import model
from tests.host.runs import Run
from tests.host.test_fused_tasks import dag_of, data_test, sql, warehouse
from tests.unit.metrics.pipelines import in_use, pipeline_into

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["warehouse"]

NODES = (
    model("a", **sql("select 1 as id union all select 2")),
    data_test("a_ok", "a"),
    data_test("a_bad", "a", code="select 1"),
    model("b", **sql("select 3 as id")),
)


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_rows_and_checks_are_reported_by_node(
    warehouse: Path, tmp_path: Path, granularity: str
) -> None:
    """The same, whether each node has its own task or one task runs all."""
    sink = FakeSink()
    with in_use(pipeline_into(sink)) as pipeline:
        Run(dag_of(tmp_path, *NODES, granularity=granularity)).all()
        assert pipeline.flush() is True
    found = {
        (series.name, dict(series.tags)["node"]): v for series, v in sink.sent.counters.items()
    }
    assert found == {
        ("dataops.rows", "model.tiny.a"): 2,
        ("dataops.rows", "model.tiny.b"): 1,
        ("dataops.check.passed", "test.tiny.a_ok"): 1,
        ("dataops.check.failed", "test.tiny.a_bad"): 1,
    }


def test_tags_of_a_model_are_known_in_the_task_and_in_the_scheduler(
    warehouse: Path, tmp_path: Path
) -> None:
    """`meta.airflow.metric_tags` and `meta.owner` survive the serialization of the DAG."""
    meta = {"owner": "finance", "airflow": {"metric_tags": {"domain": "sales"}}}
    nodes = [model("a", meta=meta, config={"materialized": "table", "meta": meta})]
    dag = dag_of(tmp_path, *nodes, tags=["tier:gold"])
    stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    for found in (dag, DagSerialization.from_dict(stored)):
        task = found.task_dict["a"]
        assert dict(task_tags("shop", "a", task, found)) == {
            "dag": "shop",
            "task": "a",
            "owner": "finance",
            "tier": "gold",
            "domain": "sales",
        }
        assert dict(run_tags("shop", "manual", found))["tier"] == "gold"


def test_tasks_without_tags_are_serialized_as_before(warehouse: Path, tmp_path: Path) -> None:
    dag = dag_of(tmp_path, model("a"))
    assert "metric_tags" not in str(DagSerialization.to_dict(dag)["dag"]["tasks"])
