"""The two projects under Airflow's real scheduler: tables and verdicts are dbt's own."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.pipelines import (
    Deployed,
    build_by_dbt,
    compiled,
    deploy,
    new_pipeline,
)
from tests.oracle.projects import ATELIER, SHOP
from tests.oracle.state import State, differences

if TYPE_CHECKING:
    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun

MANIFEST = Path(__file__).parents[2] / "dags" / "manifests" / "shop" / "manifest.json"
KILLS = 20
RUNS = 20


@pytest.fixture(scope="module")
def shop_by_dbt(tmp_path_factory: pytest.TempPathFactory) -> list[State]:
    """What dbt makes of the shop after the first and the second day."""
    pipeline = new_pipeline(SHOP, tmp_path_factory.mktemp("expected") / "dbt")
    states = []
    for day in range(2):
        pipeline.load(day)
        build_by_dbt(pipeline)
        states.append(pipeline.state())
    return states


def shop(airflow: StartedAirflow, folder: Path, dag_id: str, *, retries: int = 0) -> Deployed:
    deployed = deploy(
        airflow, new_pipeline(SHOP, folder / dag_id), MANIFEST, dag_id, retries=retries
    )
    deployed.pipeline.load(0)
    return deployed


def test_two_days_equal_dbt_and_a_day_run_twice_changes_nothing(
    airflow: StartedAirflow, tmp_path: Path, shop_by_dbt: list[State]
) -> None:
    """LocalExecutor, tasks in parallel on one DuckDB file."""
    deployed = shop(airflow, tmp_path, "shop_days")
    for day, expected in enumerate(shop_by_dbt):
        if day:
            deployed.pipeline.load(day)
        run = deployed.run(day)
        assert run.state == "success", deployed.troubles(run)
        assert differences(expected, deployed.pipeline.state()) == []
    before = deployed.pipeline.exact_state()
    airflow.api.clear(run)
    again = airflow.api.wait_for_run(run, 300)
    assert again.state == "success", deployed.troubles(again)
    assert differences(before, deployed.pipeline.exact_state()) == []


@pytest.mark.slow
def test_both_engines_mix_in_one_dag_and_gate_as_dbt_does(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """A Python model, a custom materialization, failing tests: the same tables as `dbt build`."""
    expected = new_pipeline(ATELIER, tmp_path / "dbt")
    expected.load(0)
    build_by_dbt(expected)
    manifest = compiled(ATELIER, tmp_path / "compiled")
    deployed = deploy(airflow, new_pipeline(ATELIER, tmp_path / "ours"), manifest, "atelier")
    deployed.pipeline.load(0)
    run = deployed.run(0)
    tasks = airflow.api.dag_tasks("atelier")
    operators = {task["operator_name"] for task in tasks}
    assert {"DbtBuildOperator", "DbtTestOperator", "CosmosRunOperator"} <= operators
    assert differences(expected.state(), deployed.pipeline.state()) == [], deployed.troubles(run)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_runs_in_parallel_on_one_file_never_fail(
    airflow: StartedAirflow, tmp_path: Path, shop_by_dbt: list[State]
) -> None:
    deployed = shop(airflow, tmp_path, "shop_often")
    ended = [deployed.run(day).state for day in range(RUNS)]
    print(f"{RUNS} runs: {ended.count('success')} succeeded")  # noqa: T201 - the figure
    assert ended == ["success"] * RUNS
    del deployed.pipeline.windows[1:]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_tasks_are_retried_and_the_tables_equal_dbts(
    airflow: StartedAirflow, tmp_path: Path, shop_by_dbt: list[State]
) -> None:
    """SIGKILL at random moments, twenty times in all; several in one run."""
    chance = random.Random(20260105)
    killed: list[str] = []
    number = 0
    while len(killed) < KILLS:
        deployed = shop(airflow, tmp_path, f"shop_killed_{number}", retries=5)
        number += 1
        begun = deployed.pipeline.now()
        run = _run_and_kill(deployed, chance, killed)
        deployed.pipeline.windows.append((begun, deployed.pipeline.now()))
        assert run.state == "success", deployed.troubles(run)
        assert differences(shop_by_dbt[0], deployed.pipeline.state()) == []
    print(f"{len(killed)} kills in {number} runs: {', '.join(killed)}")  # noqa: T201 - the figure


def _run_and_kill(deployed: Deployed, chance: random.Random, killed: list[str]) -> DagRun:
    """Run the first day; now and then kill a task that builds something."""
    airflow, run = deployed.airflow, deployed.trigger(0)
    deadline = time.monotonic() + 400
    victims: set[str] = set()
    while not run.finished and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.05, 0.6))
        running = [
            task
            for task in airflow.tasks(run).values()
            if task.state == "running" and "test" not in task.task_id
        ]
        for task in running:
            if len(killed) < KILLS and task.task_id not in victims and chance.random() < 0.6:
                if airflow.airflow.kill_task(task):
                    victims.add(task.task_id)
                    killed.append(task.task_id)
                break
        run = airflow.api.run(run.dag_id, run.run_id)
    return run
