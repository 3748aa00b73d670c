"""The project about the run itself as DAGs: what dbt has to run, and why; schedules; gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import DbtConfig, load_dags
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.plan import Engine, EngineChoice, make_plan, plan_options
from airflow_dataops.errors import ManifestError
from tests.host.manifests import write
from tests.oracle.comparison import question
from tests.oracle.projects import ALMANAC
from tests.oracle.recording import Recording, Way

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

    from airflow_dataops.core.plan import Plan

BY_DBT = {
    "columns_listed": "asks the warehouse while it is rendered: adapter.get_columns_in_relation",
    "counted": "asks the warehouse while it is rendered: statement",
    "decided_by_clock": "reads the clock while it is rendered: run_started_at",
    "decided_by_var": "a var of the run decides",
    "newer": "asks the warehouse while it is rendered: run_query",
    "orders": "asks the warehouse while it is rendered: run_query",
    "seen": "a package's `stamps.materialization_view_default` in place of dbt's",
    "there_already": "asks the warehouse while it is rendered: load_relation",
}
PERHAPS = {"batched", "hooked"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The manifest, as it is recorded."""

    def never() -> Any:
        raise AssertionError

    command = "python -m pytest --record-dbt tests/functional/test_oracle_projects.py"
    recorded = Recording(ALMANAC.id, Way.READ, command, tmp_path_factory.getbasetemp())
    found: str = recorded.answer(question(ALMANAC, ALMANAC.directory), never)[0]
    return found


@pytest.fixture(scope="module")
def dags(compiled: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DAG]:
    folder: Path = tmp_path_factory.mktemp("almanac")
    directory = str(ALMANAC.directory)
    namespace: dict[str, Any] = {"__file__": str(folder / "dags.py")}
    found = load_dags(
        write(folder / "manifest.json", compiled),
        namespace,
        conn_id="w",
        vars={"run_day": "{{ ds }}"},
        dbt=DbtConfig(project_dir=directory, profile="almanac", target="dev", executable="/dbt"),
    )
    assert not [name for name in namespace if name.startswith("dataops_errors")]
    return {dag.dag_id: dag for dag in found}


def plan(compiled: str, **options: Any) -> Plan:
    project = read_manifest(compiled.encode(), source="manifest.json").project
    return make_plan(project, plan_options(**options))


def homes(dags: dict[str, DAG]) -> dict[str, list[tuple[DAG, str]]]:
    """Return the DAG and the task of each node, by id."""
    found: dict[str, list[tuple[DAG, str]]] = {}
    for dag in dags.values():
        for task in dag.tasks:
            for id_ in getattr(task, "nodes", ()):
                found.setdefault(id_, []).append((dag, task.task_id))
    return found


def test_what_compiled_sql_cannot_say_goes_to_dbt_and_nothing_else(compiled: str) -> None:
    reasons = {
        task.nodes[0].rpartition(".")[2]: task.reason
        for task in plan(compiled).tasks.values()
        if task.engine is Engine.DBT
    }
    assert reasons.keys() - PERHAPS == BY_DBT.keys()
    for name, reason in BY_DBT.items():
        assert reason in reasons[name], name


@pytest.mark.parametrize("choice", [EngineChoice.AUTO, EngineChoice.SQL])
def test_without_dbt_the_plan_is_refused_with_each_of_them(
    compiled: str, choice: EngineChoice
) -> None:
    with pytest.raises(ManifestError) as refused:
        plan(compiled, engine=choice, unavailable={Engine.DBT: "there is none"})
    told = str(refused.value)
    assert all(f"model.almanac.{name}" in told and BY_DBT[name] in told for name in BY_DBT)


def test_hourly_and_daily_models_that_read_each_other_are_dags(dags: dict[str, DAG]) -> None:
    """`hourly_feed` is read by `daily`, which `hourly_late` reads."""
    found = homes(dags)
    [[(feed, _)], [(daily, _)], [(late, _)]] = (
        found[f"model.almanac.{name}"] for name in ("hourly_feed", "daily", "hourly_late")
    )
    assert len({feed.dag_id, daily.dag_id, late.dag_id}) == 3
    assert (feed.schedule, daily.schedule) == ("@hourly", "@daily")


def test_no_node_and_no_gate_is_lost(compiled: str, dags: dict[str, DAG]) -> None:
    """A test has a model's name, and a model that of the task of another's tests."""
    project = read_manifest(compiled.encode(), source="manifest.json").project
    found = homes(dags)
    expected = {
        id_
        for id_, node in project.nodes.items()
        if node.kind in ("model", "seed", "snapshot", "test")
        and getattr(node.spec, "materialized", "") != "ephemeral"
    }
    assert expected <= found.keys()
    assert all(len(found[id_]) == 1 for id_ in expected)
    for id_ in expected:
        # A model is before the tests of it alone, and what they gate is behind them.
        node, [(dag, task)] = project.nodes[id_], found[id_]
        parents = [each for each in node.parents if each in expected]
        if node.kind == "test" and len(parents) == 1:
            [(home, built)] = found[parents[0]]
            assert home is dag
            assert task in dag.get_task(built).downstream_task_ids


def test_hooks_are_once_around_each_dag(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert {task.task_id for task in dag.roots} == {"hooks.on_run_start"}
        assert {task.task_id for task in dag.leaves} == {"hooks.outcome"}
