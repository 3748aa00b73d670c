"""Sessions that hang in the middle of a transaction, and readers that take long (Postgres).

Who waits for them gives up in time; a retry ends the session of its own earlier try; readers do
not queue behind one who waits.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.models import build_table, build_view
from airflow_dataops.core.execution.turns import Turn
from airflow_dataops.core.loads.waiting import Patience
from airflow_dataops.core.model import Code, Incremental, ModelSpec, Node, NodeKind, Relation
from airflow_dataops.errors import RetryableError, SupersededError
from tests.contract.loading import FIRST, OTHER, RETRY
from tests.contract.scenarios import SCENARIOS
from tests.execution_cases import values
from tests.postgres import PostgresRunner
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.loads.specs import Attempt
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

SLOW = pytest.mark.slow
WAIT = timedelta(seconds=0.4)
GIVEN_UP = WAIT.total_seconds() + 2.5
"""Within so many seconds who waits has given up: the last attempt and a busy machine included."""


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse("postgres") as opened:
        yield opened


class Hanging:
    """Stops for good after a number of statements of the first transaction that holds `mark`."""

    def __init__(self, runner: SqlRunner, mark: str, after: int) -> None:
        self._runner = runner
        self._mark = mark
        self._after = after
        self._count = -1
        self.hangs = threading.Event()
        self.go_on = threading.Event()
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        rows = self._runner.execute(sql, parameters)
        self._passed(sql)
        return rows

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows = self._runner.fetch(sql, parameters)
        self._passed(sql)
        return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            yield
        self._count = -1

    def _passed(self, sql: str) -> None:
        if self._mark in sql:
            self._count = 0
        elif self._count >= 0:
            self._count += 1
        if self._count == self._after and not self.hangs.is_set():
            self.hangs.set()
            self.go_on.wait(60)


@contextmanager
def hanging(runner: Hanging, work: Any) -> Iterator[list[BaseException]]:
    """Do work in a thread until it hangs; at the end of the block let it go on to its end."""
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work(runner)
        except Exception as error:  # noqa: BLE001 - what came is compared
            raised.append(error)
        finally:
            runner.hangs.set()

    thread = threading.Thread(target=do)
    thread.start()
    assert runner.hangs.wait(30)
    try:
        yield raised
    finally:
        runner.go_on.set()
        thread.join(30)


FENCE = '"fences" = "fences" + 1'
BOUNDARIES = 11


def load(scenario: str, schema: str, attempt: Attempt) -> Any:
    return lambda runner: SCENARIOS[scenario].run(runner, schema, attempt, wait=WAIT)


@pytest.mark.parametrize(
    "after",
    [pytest.param(n, marks=[pytest.mark.slow] if n != 6 else []) for n in range(BOUNDARIES)],
)
def test_nr_17_another_task_gives_up_in_time_and_a_retry_ends_the_hung_session(
    warehouse: Warehouse, after: int
) -> None:
    """At each statement boundary of the publishing transaction, the fence's the first."""
    scenario = "replace"
    SCENARIOS[scenario].set_up(warehouse)
    first = Hanging(warehouse.session(), FENCE, after)
    with hanging(first, load(scenario, warehouse.schema, FIRST)) as raised:
        assert not raised, "it came to its end before this boundary"
        started = time.monotonic()
        with pytest.raises(RetryableError, match=r"was not free within 0\.4 s"):
            load(scenario, warehouse.schema, OTHER)(warehouse.session())
        assert time.monotonic() - started < GIVEN_UP
        load(scenario, warehouse.schema, RETRY)(warehouse.session())
    assert [type(error) for error in raised] == [RetryableError]  # its session is gone
    with open_warehouse("postgres") as other:
        SCENARIOS[scenario].set_up(other)
        load(scenario, other.schema, FIRST)(other.runner)
        expected = other.rows(other.relation("target"))
    assert warehouse.rows(warehouse.relation("target")) == expected


def model(warehouse: Warehouse) -> Node:
    how = Incremental(strategy="append")
    return Node(
        id="model.shop.orders",
        kind=NodeKind.MODEL,
        name="orders",
        package="shop",
        spec=ModelSpec(materialized="incremental", incremental=how),
        relation=Relation(identifier="orders", schema=warehouse.schema),
    )


def work_on(warehouse: Warehouse, attempt: Attempt | None, **more: Any) -> Any:
    sql = values([(2, "new")], ("id", "name"))
    code = Code(sql=sql, incremental_sql=sql)
    turn = Turn(attempt=attempt, wait=WAIT, **more)
    return lambda runner: build(model(warehouse), code, runner, turn=turn)


@pytest.mark.parametrize("after", [pytest.param(0, marks=SLOW), 3, pytest.param(5, marks=SLOW)])
def test_a_build_gives_up_in_time_and_a_retry_ends_the_hung_session(
    warehouse: Warehouse, after: int
) -> None:
    """No row is there twice though the model adds rows without a key."""
    old = values([(1, "old")], ("id", "name"))
    build(model(warehouse), Code(sql=old), warehouse.runner)
    first = Hanging(warehouse.session(), "pg_advisory_xact_lock(", after)
    with hanging(first, work_on(warehouse, FIRST)) as raised:
        assert not raised
        started = time.monotonic()
        for attempt in (None, OTHER, FIRST):  # it is no earlier try of theirs
            with pytest.raises(RetryableError, match=r"was in use for longer than 0\.4 s"):
                work_on(warehouse, attempt)(warehouse.session())
        assert time.monotonic() - started < 3 * GIVEN_UP
        work_on(warehouse, RETRY)(warehouse.session())
    assert [type(error) for error in raised] == [psycopg.errors.AdminShutdown]
    assert warehouse.rows(warehouse.relation("orders")) == [(1, "old"), (2, "new")]


def test_a_zombie_that_wakes_after_its_retry_has_built_writes_nothing(
    warehouse: Warehouse,
) -> None:
    """It asks whether it still counts once it has its turn, in the transaction that it leaves."""
    old = values([(1, "old")], ("id", "name"))
    build(model(warehouse), Code(sql=old), warehouse.runner)
    given_up: list[bool] = []

    def check() -> None:
        if given_up:
            raise SupersededError("given up")

    zombie = Hanging(warehouse.session(), "pg_namespace", 0)  # before the transaction
    with hanging(zombie, work_on(warehouse, FIRST, check=check)) as raised:
        given_up.append(True)
        work_on(warehouse, RETRY)(warehouse.session())
    assert [type(error) for error in raised] == [SupersededError]
    assert warehouse.rows(warehouse.relation("orders")) == [(1, "old"), (2, "new")]


class LongReader:
    """Reads a table or view in a transaction that stays open, and others read meanwhile."""

    def __init__(self, warehouse: Warehouse, name: str) -> None:
        self._sql = f"select count(*) from {warehouse.sql(warehouse.relation(name))}"
        self._long = PostgresRunner()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.waits: list[float] = []

    def __enter__(self) -> LongReader:
        self._transaction = self._long.transaction()
        self._transaction.__enter__()
        self._long.fetch(self._sql)
        self._thread.start()
        return self

    def let_go(self) -> None:
        self._transaction.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._long.close()

    def _read(self) -> None:
        reader = PostgresRunner()
        while not self._stop.is_set():
            started = time.monotonic()
            reader.fetch(self._sql)
            self.waits.append(time.monotonic() - started)
            time.sleep(0.02)
        reader.close()


LONGEST = 2.0
"""An attempt lasts a second at most; then the readers go first."""


def replaced(warehouse: Warehouse, kind: str, patience: timedelta) -> None:
    runner = warehouse.session()
    relation = warehouse.relation("target")
    with runner.transaction():
        if kind == "table":
            sql = values([(9, "new")], ("id", "name"))
            build_table(relation, sql, RelationKind.TABLE, runner, patience=Patience(patience))
        else:
            build_view(relation, "select 9 as id", RelationKind.VIEW, runner, Patience(patience))


@pytest.mark.parametrize(
    "kind", ["load", pytest.param("table", marks=SLOW), pytest.param("view", marks=SLOW)]
)
def test_readers_do_not_queue_behind_one_that_takes_long(warehouse: Warehouse, kind: str) -> None:
    """What replaces the table waits for the long reader; the others go on reading."""
    if kind == "view":
        warehouse.runner.execute(
            f"create view {warehouse.sql(warehouse.relation('target'))} as select 1 as id"
        )
    else:
        SCENARIOS["replace"].set_up(warehouse)

    def replace(wait: timedelta) -> None:
        if kind == "load":
            work = SCENARIOS["replace"].run
            work(warehouse.session(), warehouse.schema, FIRST, wait=wait)
        else:
            replaced(warehouse, kind, wait)

    with LongReader(warehouse, "target") as reader:
        started = time.monotonic()
        with pytest.raises(RetryableError, match="was in use for longer than"):
            replace(WAIT)
        assert time.monotonic() - started < GIVEN_UP + 1
        waiting = threading.Thread(target=replace, args=(timedelta(seconds=60),))
        waiting.start()
        time.sleep(0.6)
        reader.let_go()
        waiting.join(30)
        assert not waiting.is_alive()
    assert len(reader.waits) > 5
    assert max(reader.waits) < LONGEST
