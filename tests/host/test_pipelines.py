"""Pipelines in YAML, through `load_dags`: DAGs as one would write them by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

from airflow_dataops import load_dags
from tests.host.pipelines import load, same
from tests.host.pipelines_examples import CASES as EXAMPLES
from tests.host.pipelines_seeds import CASES as SEEDS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_pipeline_is_the_dag_one_would_write(tmp_path: Path) -> None:
    (dag,) = load(
        tmp_path,
        """
        dag_id: sales
        description: Daily sales
        schedule: "0 6 * * *"
        start_date: 2024-01-01
        catchup: false
        max_active_runs: 2
        owner: data-team
        tags: [etl, sales]
        default_args: {retries: 3, retry_delay: 5m}
        tasks:
          start: {operator: empty}
          extract:
            operator: airflow.providers.standard.operators.bash.BashOperator
            bash_command: extract {{ ds }}
            depends_on: start
            execution_timeout: 1h
          checks:
            depends_on: extract
            tooltip: Checks
            tasks:
              nulls: {operator: bash, bash_command: nulls}
              dupes: {operator: bash, bash_command: dupes, depends_on: [nulls]}
          load:
            operator: bash
            bash_command: load
            trigger_rule: none_failed
            depends_on: [checks]
          each:
            operator: bash
            expand: {bash_command: [one, two]}
            depends_on: load
          clean: {operator: bash, bash_command: clean, teardown: start, depends_on: each}
        """,
    )
    with DAG(
        "sales",
        description="Daily sales",
        schedule="0 6 * * *",
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=2,
        tags=["etl", "sales"],
        default_args={
            "owner": "data-team",
            "retries": 3,
            "retry_delay": timedelta(minutes=5),
        },
    ) as by_hand:
        start = EmptyOperator(task_id="start")
        extract = BashOperator(
            task_id="extract",
            bash_command="extract {{ ds }}",
            execution_timeout=timedelta(hours=1),
        )
        with TaskGroup("checks", tooltip="Checks") as checks:
            nulls = BashOperator(task_id="nulls", bash_command="nulls")
            nulls >> BashOperator(task_id="dupes", bash_command="dupes")
        load_ = BashOperator(task_id="load", bash_command="load", trigger_rule="none_failed")
        each = BashOperator.partial(task_id="each").expand(bash_command=["one", "two"])
        clean = BashOperator(task_id="clean", bash_command="clean").as_teardown(setups=start)
        start >> extract >> checks >> load_ >> each >> clean
    same(dag, by_hand)


def test_one_broken_pipeline_leaves_its_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    folder.mkdir()
    (folder / "good.pipeline.yaml").write_text("tasks: {a: {operator: empty}}")
    (folder / "bad.pipeline.yaml").write_text("tasks:\n  a: {operator: emty}\n")
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    (dag,) = load_dags("pipelines", namespace)
    assert dag.dag_id == "good"
    with pytest.raises(
        ValueError, match=r"bad\.pipeline\.yaml:2:17: .*'empty'\? \(at \$\.tasks\.a\.operator\)"
    ):
        namespace["dataops_errors_0"].validate()


@pytest.mark.parametrize("name", [*SEEDS, *EXAMPLES])
def test_published_pipelines_in_yaml_are_those_by_hand(tmp_path: Path, name: str) -> None:
    text, by_hand = SEEDS.get(name) or EXAMPLES[name]
    found = {dag.dag_id: dag for dag in load(tmp_path, text)}
    expected = by_hand()
    assert found.keys() == {dag.dag_id for dag in expected}
    for dag in expected:
        same(found[dag.dag_id], dag)
    # Once more, copied from what the first time showed to be the same.
    for dag in load(tmp_path, text):
        same(dag, found[dag.dag_id])
