"""Workers build one task of ours, while others' operators in the same DAG skip and branch.

Under Airflow's LocalExecutor: every task is a process that parses the DAG file for that task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import data_test

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.functional.started import StartedAirflow

HEAD = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, task, task_group
from airflow_dataops import dbt_task_group

def project(group_id):
    return dbt_task_group(group_id=group_id, manifest={manifest!r}, conn_id={dag_id!r})

with DAG({dag_id!r}, schedule=None, default_args={{"retries": 0}}):
"""

BRANCH = """
    choose = BranchPythonOperator(task_id="choose", python_callable=lambda: "left.first")
    join = EmptyOperator(task_id="join", trigger_rule="none_failed_min_one_success")
    choose >> [project("left"), project("right")] >> join
    choose >> join
    join >> EmptyOperator(task_id="last")
"""

BRANCH_BETWEEN = """
    choose = BranchPythonOperator(task_id="choose", python_callable=lambda: "after.first")
    project("before") >> choose >> [project("after"), EmptyOperator(task_id="other")]
"""

SHORT_CIRCUIT = """
    gate = ShortCircuitOperator(
        task_id="gate",
        python_callable=lambda: False,
        ignore_downstream_trigger_rules={ignore},
    )
    middle = EmptyOperator(task_id="middle", trigger_rule="all_done")
    gate >> project("dbt") >> middle >> EmptyOperator(task_id="last", trigger_rule="all_done")
"""

MAPPED = """
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def twice(number):
        return 2 * number

    @task
    def total(found):
        assert sorted(found) == [4, 8, 12], list(found)

    @task_group
    def four_times(number):
        return twice.override(task_id="again")(twice(number))

    found = four_times.expand(number=numbers())
    project("before") >> found
    found >> project("after")
    total(found)
"""

PROJECT = ("first", "second", "second.test")


@pytest.fixture
def run(airflow: StartedAirflow, tmp_path: Path) -> Callable[[str, str], dict[str, set[str]]]:
    """Run a DAG with these contents; return the states of its tasks, by id."""

    def run(dag_id: str, body: str) -> dict[str, set[str]]:
        nodes = (model("first"), model("second", "first"), data_test("fine", "second"))
        path = write(tmp_path / "m.json", manifest(*nodes))
        airflow.api.add_connection(dag_id, "duckdb", host=str(tmp_path / "wh.duckdb"))
        head = HEAD.format(manifest=str(path), dag_id=dag_id)
        airflow.drop(f"{dag_id}.py", head + body, dag_id)
        done = airflow.run(dag_id)
        states: dict[str, set[str]] = {}
        for task in airflow.api.task_instances(done.dag_id, done.run_id):
            states.setdefault(task.task_id, set()).add(str(task.state))
        return states

    return run


def all_of(group: str, state: str) -> dict[str, set[str]]:
    return {f"{group}.{name}": {state} for name in PROJECT}


def test_a_branch_takes_one_project_and_keeps_a_join_of_two_paths(
    run: Callable[[str, str], dict[str, set[str]]],
) -> None:
    """The join also hangs on the branch itself: the longer path keeps it from being skipped."""
    assert run("partial_branch", BRANCH) == {
        "choose": {"success"},
        **all_of("left", "success"),
        **all_of("right", "skipped"),
        "join": {"success"},
        "last": {"success"},
    }


def test_a_branch_after_a_project_reads_its_own_downstream(
    run: Callable[[str, str], dict[str, set[str]]],
) -> None:
    assert run("partial_between", BRANCH_BETWEEN) == {
        **all_of("before", "success"),
        "choose": {"success"},
        **all_of("after", "success"),
        "other": {"skipped"},
    }


@pytest.mark.parametrize(("ignore", "deeper"), [(True, "skipped"), (False, "success")])
def test_a_short_circuit_skips_the_project_and_what_it_should_of_the_rest(
    run: Callable[[str, str], dict[str, set[str]]], ignore: bool, deeper: str
) -> None:
    """With `ignore_downstream_trigger_rules`, tasks far below are skipped whatever their rule."""
    dag_id = f"partial_short_{ignore}".lower()
    assert run(dag_id, SHORT_CIRCUIT.format(ignore=ignore)) == {
        "gate": {"success"},
        **all_of("dbt", "skipped"),
        "middle": {deeper},
        "last": {deeper},
    }


def test_mapped_groups_stand_before_and_after_projects(
    run: Callable[[str, str], dict[str, set[str]]],
) -> None:
    assert run("partial_mapped", MAPPED) == {
        "numbers": {"success"},
        **all_of("before", "success"),
        "four_times.twice": {"success"},
        "four_times.again": {"success"},
        **all_of("after", "success"),
        "total": {"success"},
    }
