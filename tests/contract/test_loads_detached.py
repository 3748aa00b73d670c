"""Publications that nobody waits for (conformance list 1, 17 and 19), on the engines that run them.

Snowflake's emulator runs the script itself; BigQuery's runs its statements one by one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from airflow_dataops.core.loads.detached import Detached, abandon, finish
from airflow_dataops.core.loads.run import begin_load, run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import Attempt, Drift, Load, LoadResult
from airflow_dataops.errors import SupersededError
from tests.contract.loading import FIRST, ITEMS, MERGE, OLD, OTHER, RETRY, items, lease
from tests.contract.scenarios import SCENARIOS
from tests.emulators import bigquery_scripts, snowflake
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.warehouses import Warehouse

pytestmark = pytest.mark.slow
NEW = [(2, "B"), (3, "c")]


HELD = {"bigquery": bigquery_scripts.held, "snowflake": snowflake.held}


@pytest.fixture(params=sorted(HELD))
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    bigquery_scripts.use_scripts(monkeypatch)
    with open_warehouse(request.param) as warehouse:
        yield warehouse


def begin(warehouse: Warehouse, load: Load, source: Query) -> Detached:
    """Begin a load over a session that ends; return what another process would get."""
    session: Any = warehouse.session()
    begun = begin_load(load, source, session)
    assert isinstance(begun, Detached)
    session.close()
    return msgspec.convert(msgspec.to_builtins(begun), Detached)


def end(warehouse: Warehouse, detached: Detached) -> LoadResult | Detached:
    runner: Any = warehouse.runner
    deadline = time.monotonic() + 20
    while not runner.ended(detached.job) and time.monotonic() < deadline:
        time.sleep(0.05)
    return finish(detached, runner)


def tables(warehouse: Warehouse) -> set[str]:
    return {name for name in warehouse.tables() if "__stg_" in name}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_verb_ends_as_if_somebody_had_waited(opened: Warehouse, scenario: str) -> None:
    wanted = SCENARIOS[scenario]
    wanted.set_up(opened)
    expected = wanted.run(opened.runner, opened.schema, FIRST)
    rows = opened.rows(opened.relation("target"))
    with open_warehouse(opened.engine.name) as other:
        wanted.set_up(other)
        load = Load(target=other.relation("target"), verb=wanted.verb, attempt=FIRST)
        load = msgspec.structs.replace(load, **wanted.settings)
        source = Query(sql=f"select * from {other.sql(other.relation('source'))}")
        found = end(other, begin(other, load, source))
        assert isinstance(found, LoadResult)
        assert other.rows(other.relation("target")) == rows
        assert msgspec.structs.replace(found, target=expected.target) == expected
        assert not tables(other)


def prepared(warehouse: Warehouse, attempt: Attempt = FIRST, **settings: Any) -> tuple[Load, Query]:
    target = items(warehouse)
    source = warehouse.source(ITEMS, NEW)
    return Load(target=target, verb=MERGE, attempt=attempt, **settings), source


def test_nr_1_readers_see_nothing_before_the_end(opened: Warehouse) -> None:
    load, source = prepared(opened)
    runner: Any = opened.runner
    with HELD[opened.dialect]():
        begun = begin(opened, load, source)
        time.sleep(0.3)
        assert not runner.ended(begun.job)
        assert opened.rows(load.target) == OLD
    end(opened, begun)
    assert opened.rows(load.target) == [(1, "a"), *NEW]
    assert lease(opened)[3] == 0


def test_nr_19_a_script_that_comes_late_writes_nothing(opened: Warehouse) -> None:
    """Its retry has taken the lease between two statements of the first process."""
    load, source = prepared(opened)
    begun = begin(opened, load, source)
    end(opened, begun)
    again = warehouse_rows(opened, load)
    runner: Any = opened.runner
    run_load(msgspec.structs.replace(load, attempt=RETRY), source, runner)
    late = msgspec.structs.replace(begun, job=runner.submit(begun.script))
    with pytest.raises(SupersededError):
        end(opened, late)
    assert warehouse_rows(opened, load) == again


def warehouse_rows(warehouse: Warehouse, load: Load) -> list[tuple[Any, ...]]:
    return warehouse.rows(load.target)


def test_nr_19_what_is_cancelled_is_rolled_back_and_swept(opened: Warehouse) -> None:
    load, source = prepared(opened, drift=Drift.ADD)
    source = opened.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    with HELD[opened.dialect]():
        begun = begin(opened, load, source)
        abandon(begun, opened.session())  # type: ignore[arg-type]
    assert opened.rows(load.target) == OLD
    assert not tables(opened)
    assert lease(opened)[3] == 0
    run_load(msgspec.structs.replace(load, attempt=OTHER), source, opened.runner)
    assert len(opened.rows(load.target)) == 3


def test_a_script_that_fails_leaves_the_table_and_tells_why(opened: Warehouse) -> None:
    target = opened.table("strict", {"id": "int", "name": "varchar not null"}, OLD)
    text = opened.engine.types["text"]
    source = Query(sql=f"select 3 as id, cast(null as {text}) as name")
    with pytest.raises(Exception, match=r"(?i)not null|required|null value"):
        end(opened, begin(opened, Load(target=target, verb=MERGE, attempt=FIRST), source))
    assert opened.rows(target) == OLD
    assert not tables(opened)
    assert lease(opened)[3] == 0


def test_a_source_without_rows_is_not_sent_away(opened: Warehouse) -> None:
    load, _ = prepared(opened)
    found = begin_load(load, opened.source(ITEMS), opened.runner)  # type: ignore[arg-type]
    assert isinstance(found, LoadResult)
    assert found.staged == 0
