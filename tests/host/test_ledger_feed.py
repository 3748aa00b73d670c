"""The feed between Airflow's database, of both kinds, and a ledger; no process is started."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import time
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

import airflow_dataops.operators as package
from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.ledger.events import RunEvent, TaskEvent, Via, VolumeEvent
from airflow_dataops.hooks import ledger_upkeep, run_rows
from airflow_dataops.hooks.ledger_feed import MARK, LedgerFeed
from airflow_dataops.hooks.run_feed import HeardRun
from airflow_dataops.plugins.run_listener import RunListener
from tests.databases import KINDS, empty_database
from tests.pace import at_most

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """The present, to the second: of the test, not of the import, which may be minutes before."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module", params=KINDS)
def tables_of_airflow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Airflow's tables, without the rows that its foreign keys ask for."""
    from airflow.models import import_all_models
    from airflow.models.base import Base

    import_all_models()
    with empty_database(request.param, tmp_path_factory.mktemp("airflow")) as url:
        free = {"options": "-c session_replication_role=replica"}
        engine = create_engine(
            url.replace("postgresql:", "postgresql+psycopg:"),
            connect_args={} if request.param == "sqlite" else free,
        )
        Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def airflow_db(tables_of_airflow: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Airflow's database, with no run in it."""
    from airflow import settings
    from airflow.models.base import Base

    with tables_of_airflow.begin() as connection:
        for name in ("xcom", "task_instance", "dag_run"):
            connection.execute(Base.metadata.tables[name].delete())
    monkeypatch.setattr(settings, "engine", tables_of_airflow)
    return tables_of_airflow


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerStore]:
    store = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield store
    store.close()


@pytest.fixture
def feed(airflow_db: Engine, ledger: LedgerStore) -> Iterator[LedgerFeed]:
    made = LedgerFeed(lambda: ledger)
    # The tests write when they want.
    made._thread = SimpleNamespace()  # type: ignore[assignment]
    yield made
    made._waiting.clear()


def put(
    engine: Engine, now: datetime, run_id: str, state: str, ended: datetime | None, *tasks: str
) -> None:
    """Insert a run with tasks that succeeded, as Airflow's tables have them."""
    from airflow.models.base import Base

    tables = Base.metadata.tables
    times = {"start_date": now - 9 * MINUTE, "end_date": ended, "updated_at": now}
    with engine.begin() as connection:
        runs, instances = tables["dag_run"], tables["task_instance"]
        connection.execute(runs.delete().where(runs.c.run_id == run_id))
        connection.execute(
            runs.insert().values(
                dag_id="shop",
                run_id=run_id,
                state=state,
                run_type="manual",
                run_after=now,
                log_template_id=1,
                **times,
            )
        )
        for task_id in tasks:
            connection.execute(
                instances.insert().values(
                    id=uuid.uuid4(),
                    task_id=task_id,
                    dag_id="shop",
                    run_id=run_id,
                    map_index=-1,
                    state="success",
                    try_number=1,
                    max_tries=0,
                    pool="default_pool",
                    pool_slots=1,
                    queue="default",
                    priority_weight=1,
                    operator="MergeOperator",
                    executor_config={},
                    **times,
                )
            )


def tell(engine: Engine, now: datetime, run_id: str, task_id: str, value: object) -> None:
    from airflow.models.base import Base

    xcom = Base.metadata.tables["xcom"]
    with engine.begin() as connection:
        connection.execute(
            xcom.insert().values(
                dag_run_id=1,
                dag_id="shop",
                run_id=run_id,
                task_id=task_id,
                map_index=-1,
                key="return_value",
                value=value,
                timestamp=now,
            )
        )


def test_a_run_is_written_when_its_end_is_committed(
    feed: LedgerFeed, ledger: LedgerStore, airflow_db: Engine, now: datetime
) -> None:
    put(airflow_db, now, "r", "running", None)
    feed.add(HeardRun("shop", "r", ended=False))
    feed.settle()
    assert [each.state for each in ledger.read(RunEvent)] == ["running"]
    dag = SimpleNamespace(task_dict={"orders": SimpleNamespace(owner="ada")})
    feed.add(HeardRun("shop", "r", dag=dag))
    assert feed.settle() == 0, "not committed yet"
    put(airflow_db, now, "r", "success", now, "orders")
    tell(airflow_db, now, "r", "orders", {"target": "s.orders", "staged": 3, "inserted": 3})
    assert feed.settle() == 1
    assert [each.state for each in ledger.read(RunEvent)] == ["success"]
    [task] = ledger.read(TaskEvent)
    assert (task.state, task.owner, task.rows) == ("success", "ada", 3)
    assert task.ended_at - task.started_at == 9 * MINUTE
    assert [each.relation for each in ledger.read(VolumeEvent)] == ["s.orders"]
    assert feed.settle() == 0


def test_what_nobody_told_of_is_found_once(
    feed: LedgerFeed, ledger: LedgerStore, airflow_db: Engine, now: datetime
) -> None:
    """The scheduler was down, or the ledger: runs are found by their end times."""
    put(airflow_db, now, "old", "failed", now - timedelta(days=3), "a")
    put(airflow_db, now, "missed", "failed", now - 9 * MINUTE, "a")
    put(airflow_db, now, "heard", "success", now - 8 * MINUTE, "a")
    feed.add(HeardRun("shop", "heard"))
    feed.settle()
    assert feed.catch_up() == 1
    assert {each.run_id: each.via for each in ledger.read(RunEvent)} == {
        "missed": Via.RECONCILER,
        "heard": Via.LISTENER,
    }
    assert ledger.mark(MARK) > now
    assert feed.catch_up() == 0
    assert feed.catch_up(now - timedelta(days=30)) == 1
    assert len(ledger.read(TaskEvent)) == 3


def test_a_ledger_that_is_down_loses_nothing(
    airflow_db: Engine, ledger: LedgerStore, caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    down = [True]

    def open_ledger() -> LedgerStore:
        if down[0]:
            raise OSError("no route to host")
        return ledger

    feed = LedgerFeed(open_ledger)
    feed._thread = SimpleNamespace()  # type: ignore[assignment]
    put(airflow_db, now, "r", "success", now, "a")
    feed.add(HeardRun("shop", "r"))
    with caplog.at_level(logging.INFO, "airflow_dataops.ledger"):
        assert [feed.settle(), feed.settle()] == [0, 0]
        began = time.perf_counter()
        feed.finish()
        assert time.perf_counter() - began < at_most(0.1), (
            "a process that ends does not wait for it"
        )
        down[0] = False
        assert feed.settle() == 1
    assert [record.getMessage() for record in caplog.records] == [
        "The ledger is not written for now, runs go on without it: OSError: no route to host",
        "The ledger is written again",
    ]


def test_a_process_that_ends_waits_for_no_database(feed: LedgerFeed) -> None:
    feed.add(HeardRun("shop", "r"))
    with feed._turn:
        began = time.monotonic()
        feed.finish()
        assert 1.5 < time.monotonic() - began < at_most(3)


def test_hooks_take_microseconds_and_a_tasks_own_do_nothing(feed: LedgerFeed) -> None:
    listener = RunListener(feed)
    task = SimpleNamespace(dag_id="shop", run_id="r")
    listener.on_task_instance_success("running", task)
    assert not feed._waiting
    listener.on_task_instance_success(None, task)
    assert list(feed._waiting) == [("shop", "r")], "set by hand: its run is read anew"
    run = SimpleNamespace(dag_id="shop", run_id="r", dag=None, end_date=None)
    took = []
    for _ in range(1000):
        began = time.perf_counter()
        listener.on_dag_run_success(run, "")
        took.append(time.perf_counter() - began)
    assert sorted(took)[500] < at_most(0.0005)
    feed._waiting.clear()


def test_all_operators_that_tell_are_asked() -> None:
    """Whoever returns rows or verdicts is in the list; what has another shape is not."""
    from airflow_dataops.operators.loads.base import LoadOperator
    from airflow_dataops.operators.node import NodeOperator

    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith(("dbt", "dbt_config", "asked")):
            importlib.import_module(module.name)
    loads = {each.__name__ for each in LoadOperator.__subclasses__()}
    nodes = {each.__name__ for each in NodeOperator.__subclasses__()} - {
        "ReadyOperator",
        "HooksOperator",
    }
    of_last_release = {"BuildOperator", "TestOperator"}
    assert set(run_rows._RETURNING) == loads | nodes | of_last_release


def test_the_ledger_is_pruned_once_a_day(
    ledger: LedgerStore, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    old = RunEvent(dag_id="shop", run_id="r", observed_at=now - timedelta(days=401))
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER_KEEP_DAYS", "402")
    ledger.write([old])
    assert ledger_upkeep.prune_daily(ledger, now=now) == 0
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER_KEEP_DAYS", "400")
    assert ledger_upkeep.prune_daily(ledger, now=now + timedelta(hours=23)) == 0
    assert ledger_upkeep.prune_daily(ledger, now=now + timedelta(hours=25)) == 1
    assert ledger.read(RunEvent) == []
