"""Under the real Airflow: the ledger has every task instance of a run once, as it was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent, Via, VolumeEvent
from airflow_dataops.hooks.ledger_feed import MARK
from tests.functional import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import DagRun

SOURCE = """
    import os, signal
    from datetime import timedelta

    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowSkipException

    with DAG("kept", tags=["tier:gold"], default_args={"owner": "finance"}):

        @task
        def fine(): ...

        @task
        def failing():
            raise ValueError("on purpose")

        @task(retries=1, retry_delay=timedelta(seconds=1))
        def retried(ti=None):
            if ti.try_number == 1:
                raise ValueError("not yet")

        @task
        def killed():
            os.kill(os.getpid(), signal.SIGKILL)

        @task
        def skipping():
            raise AirflowSkipException("on purpose")

        @task(max_active_tis_per_dagrun=2)
        def mapped(number):
            if number == 2:
                raise ValueError("on purpose")

        fine() >> EmptyOperator(task_id="empty")
        failing() >> EmptyOperator(task_id="upstream_failed")
        retried()
        killed() >> EmptyOperator(task_id="after_killed")
        skipping() >> EmptyOperator(task_id="skipped")
        mapped.expand(number=[0, 1, 2])
"""
IN_AIRFLOW = """
    select task_id, map_index, try_number, state, start_date, end_date
    from {table} where dag_id = %s and run_id = %s
"""


@pytest.fixture
def ledger(airflow: StartedAirflow) -> Iterator[LedgerStore]:
    file = airflow.airflow.settings.home / "dataops" / "ledger.db"
    store = LedgerStore(f"sqlite:///{file}")
    yield store
    store.close()


def in_airflow(run: DagRun) -> dict[tuple[str, int, int], tuple[Any, ...]]:
    """State and seconds of each try of a run's tasks, as Airflow's database has them."""
    found: dict[tuple[str, int, int], tuple[Any, ...]] = {}
    with psycopg.connect(metadata.address("airflow")) as database:
        for table in ("task_instance", "task_instance_history"):
            query = IN_AIRFLOW.format(table=table)
            for task_id, index, number, *told in database.execute(query, (run.dag_id, run.run_id)):
                assert (task_id, index, number) not in found
                found[task_id, index, number] = tuple(told)
    return found


def ended(ledger: LedgerStore, run: DagRun) -> RunEvent:
    """The run's event, as soon as the ledger knows how it ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for event in ledger.read(RunEvent, dag_id=run.dag_id, run_id=run.run_id):
            if event.ended_at is not None:
                return event
        time.sleep(0.3)
    raise AssertionError(f"{run.run_id} is not in the ledger")


def tries(ledger: LedgerStore, run: DagRun) -> dict[tuple[str, int, int], TaskEvent]:
    found = ledger.read(TaskEvent, dag_id=run.dag_id, run_id=run.run_id)
    return {(each.task_id, each.map_index, each.try_number): each for each in found}


def compare(airflow: StartedAirflow, ledger: LedgerStore, run: DagRun) -> dict[Any, TaskEvent]:
    """Assert that the ledger has each try as Airflow's database has it; return them."""
    expected = in_airflow(run)
    found = tries(ledger, run)
    kept = {key: (each.state, each.started_at, each.ended_at) for key, each in found.items()}
    assert kept == expected
    return found


def test_every_task_instance_is_in_the_ledger_once_as_it_was(
    airflow: StartedAirflow, ledger: LedgerStore
) -> None:
    """Success, failure, retry, SIGKILL, skipped, upstream failed, mapped, without a process."""
    airflow.drop("kept.py", SOURCE, "kept")
    run = airflow.run("kept")
    event = ended(ledger, run)
    assert (event.state, event.run_type, event.tags) == ("failed", "manual", ("tier:gold",))
    assert event.via is Via.LISTENER
    assert ledger.mark(MARK) is not None, "the scheduler looks for what nobody told it"
    found = compare(airflow, ledger, run)
    states = {key[0]: each.state for key, each in sorted(found.items())}
    assert states["killed"] == "failed"
    assert states["upstream_failed"] == states["after_killed"] == "upstream_failed"
    assert states["skipping"] == states["skipped"] == "skipped"
    assert {number for task_id, _, number in found if task_id == "retried"} == {1, 2}
    assert len(found) == 13
    assert {each.owner for each in found.values()} == {"finance"}


LOAD = """
    from airflow.sdk import DAG
    from airflow_dataops import AppendOperator

    with DAG("volumes"):
        AppendOperator(
            task_id="load",
            target="main.orders",
            conn_id="ledger_shop",
            sql="select i as id from range(7) as t(i)",
            create=True,
        )
"""


def test_rows_of_loads_are_in_the_ledger_and_a_run_that_is_cleared_is_written_anew(
    airflow: StartedAirflow, ledger: LedgerStore, tmp_path: Path
) -> None:
    airflow.api.add_connection("ledger_shop", "duckdb", host=str(tmp_path / "shop.duckdb"))
    airflow.drop("volumes.py", LOAD, "volumes")
    run = airflow.run("volumes")
    first = ended(ledger, run)
    [task] = compare(airflow, ledger, run).values()
    assert (task.state, task.rows, task.operator) == ("success", 7, "AppendOperator")
    [volume] = ledger.read(VolumeEvent, dag_id="volumes")
    assert (volume.rows, volume.task_id) == (7, "load")
    assert str(volume.relation).endswith("main.orders")

    airflow.api.clear(run)
    airflow.api.wait_for_run(run, 120)
    deadline = time.monotonic() + 30
    while ended(ledger, run).ended_at == first.ended_at and time.monotonic() < deadline:
        time.sleep(0.3)
    assert {key[2] for key in compare(airflow, ledger, run)} == {1, 2}
