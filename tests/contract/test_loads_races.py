"""Two workers, one partition, at once (conformance list 17 and 19): one result.

Postgres: two sessions. DuckDB: two cursors of one process, and two processes that queue for one
file through the hook.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.loads.specs import Attempt
from airflow_dataops.errors import DataOpsError, SupersededError
from tests.contract.scenarios import SCENARIOS
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.warehouses import Warehouse

RACED = ("partition", "merge", "merge_without_index", "append", "replace", "increment", "changes")


def race(
    warehouse: Warehouse, scenario: str, attempts: Sequence[Attempt], **settings: Any
) -> list[object]:
    """Run one load by several workers at once; return what each raised, or None."""
    outcomes: list[object] = []
    start = threading.Barrier(len(attempts))
    runners = [warehouse.session() for _ in attempts]

    def work(number: int) -> None:
        start.wait()
        try:
            runner, attempt = runners[number], attempts[number]
            SCENARIOS[scenario].run(runner, warehouse.schema, attempt, **settings)
            outcomes.append(None)
        except DataOpsError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(attempts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for runner in runners:
        runner.close()  # type: ignore[attr-defined]
    return outcomes


def alone(engine: str, scenario: str) -> list[tuple[object, ...]]:
    with open_warehouse(engine) as warehouse:
        SCENARIOS[scenario].set_up(warehouse)
        SCENARIOS[scenario].run(warehouse.runner, warehouse.schema, Attempt(owner="a", run_id="r"))
        return warehouse.rows(warehouse.relation("target"))


TASKS = (Attempt(owner="a", run_id="r"), Attempt(owner="b", run_id="r"))
TRIES = (Attempt(owner="a", run_id="r"), Attempt(owner="a", run_id="r", try_number=2))


def race_often(engine: str, times: int) -> int:
    """Race each scenario in turn, as two tasks and as two tries; return the number of races."""
    expected = {scenario: alone(engine, scenario) for scenario in RACED}
    for number in range(times):
        scenario = RACED[number % len(RACED)]
        attempts = TASKS if number // len(RACED) % 2 else TRIES
        with open_warehouse(engine) as warehouse:
            SCENARIOS[scenario].set_up(warehouse)
            outcomes = race(warehouse, scenario, attempts)
            assert len(outcomes) == len(attempts)
            failed = [error for error in outcomes if error is not None]
            assert all(isinstance(e, SupersededError) for e in failed), (scenario, failed)
            assert len(failed) < len(attempts)
            found = warehouse.rows(warehouse.relation("target"))
            assert found == expected[scenario], (scenario, attempts, outcomes)
            schema = quote(warehouse.schema, warehouse.dialect)
            warehouse.runner.execute(f"drop schema {schema} cascade")
    return times


@pytest.mark.parametrize(
    "engine", ["duckdb", "postgres", pytest.param("snowflake", marks=pytest.mark.slow)]
)
def test_nr_17_two_workers_at_once_have_one_result(engine: str) -> None:
    assert race_often(engine, 2 * len(RACED)) == 14


@pytest.mark.slow
def test_nr_17_two_workers_at_once_have_one_result_on_bigquery() -> None:
    """As far as an emulator shows it that runs one statement at a time: their order is open."""
    assert race_often("bigquery", 2 * len(RACED)) == 14


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_nr_17_two_workers_at_once_have_one_result_200_times(engine: str) -> None:
    assert race_often(engine, 200) == 200
