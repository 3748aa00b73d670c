"""What every load guarantees, on every engine: conformance list 1 to 3 and 12 to 19.

The numbers in the names of tests are those of the list: 1 atomicity, 2 DDL commits, 3 read the
source once, 4 rows outside the partition, 5 empty batch, 6 duplicate source keys, 7 NULL keys,
8 composite keys, 9 NULL partitions, 10 same timestamp at the watermark, 11 late commits, 12
watermark with the commit, 13 time zones, 14 NULL cursors, 15 schema drift, 16 identifiers, 17
concurrent writers, 18 partial retry, 19 zombies, 21 change events. What concerns one verb is in
`test_loads_<verb>.py`, kills are in `test_loads_killed.py`, races in `test_loads_races.py`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import (
    Attempt,
    Load,
)
from tests.contract.loading import (
    EVERY_VERB,
    FIRST,
    ITEMS,
    MERGE,
    OLD,
    RETRY,
    Chunks,
    Spy,
    items,
    load,
    run,
)
from tests.contract.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse


@EVERY_VERB
def test_nr_1_what_is_written_is_written_in_one_transaction(
    warehouse: Warehouse, scenario: str
) -> None:
    """A failure before the commit, whatever was done before, leaves the table as it was."""
    SCENARIOS[scenario].set_up(warehouse)
    target = warehouse.relation("target")
    before = warehouse.rows(target)

    class FailsAtCommit(Spy):
        @contextmanager
        def transaction(self) -> Iterator[None]:
            with self._runner.transaction():
                yield
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(warehouse, FailsAtCommit(warehouse.runner), scenario)
    assert warehouse.rows(target) == before
    assert warehouse.tables() <= {"source", "target"} | control_tables()


def control_tables() -> set[str]:
    return {"dataops_leases", "dataops_watermarks", "target__tombstones"}


@EVERY_VERB
def test_nr_2_nothing_is_staged_inside_the_transaction(warehouse: Warehouse, scenario: str) -> None:
    SCENARIOS[scenario].set_up(warehouse)
    spy = Spy(warehouse.runner)
    run(warehouse, spy, scenario)
    told = [sql for sql in spy.told if "lock_timeout" not in sql]
    fence = next(n for n, sql in enumerate(told) if "fences" in sql and sql.startswith("update"))
    assert told[fence - 1] == "BEGIN", "the fence comes first"
    inside = told[fence : told.index("COMMIT", fence)]
    assert not any("__stg_" in sql.split(" as ")[0] for sql in inside if "temporary" in sql)
    assert warehouse.tables() <= {"source", "target"} | control_tables(), "staging is dropped"


@EVERY_VERB
def test_nr_3_the_source_is_read_once(warehouse: Warehouse, scenario: str) -> None:
    SCENARIOS[scenario].set_up(warehouse)
    spy = Spy(warehouse.runner)
    run(warehouse, spy, scenario)
    source = warehouse.sql(warehouse.relation("source"))
    assert len([sql for sql in spy.told if source in sql]) == 1


@EVERY_VERB
def test_running_again_changes_nothing(warehouse: Warehouse, scenario: str) -> None:
    SCENARIOS[scenario].set_up(warehouse)
    run(warehouse, warehouse.runner, scenario)
    once = warehouse.rows(warehouse.relation("target"))
    run(warehouse, warehouse.runner, scenario, RETRY)
    run(warehouse, warehouse.runner, scenario, Attempt(owner="late", run_id="tuesday"))
    assert warehouse.rows(warehouse.relation("target")) == once


def test_nr_18_a_source_that_breaks_in_the_middle_writes_nothing(warehouse: Warehouse) -> None:
    target, rows = items(warehouse), [(3, "c"), (4, "d"), (5, "e")]
    with pytest.raises(ConnectionError):
        load(warehouse, target, MERGE, Chunks(rows, breaks_after=2))
    assert warehouse.rows(target) == OLD
    assert not any("__stg_" in name for name in warehouse.tables())
    assert load(warehouse, target, MERGE, Chunks(rows)).staged == 3
    assert warehouse.rows(target) == [*OLD, *rows]


def test_nr_17_shared_staging_tables_of_dead_loads_are_swept(warehouse: Warehouse) -> None:
    """Those of this target and partition: others may be in use."""
    target = items(warehouse)

    class Killed(Chunks):
        def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
            super().stage(runner, staging)
            runner.execute = broken  # type: ignore[method-assign]
            raise KeyboardInterrupt

    def broken(sql: str, parameters: Sequence[Any] = ()) -> int:
        raise ConnectionError

    for partition in ("", "other"):
        dying = Spy(warehouse.session())
        wanted = Load(target=target, verb=MERGE, attempt=FIRST, partition=partition)
        with pytest.raises(KeyboardInterrupt):
            run_load(wanted, Killed([(3, "c")]), dying)
    left = [name for name in warehouse.tables() if "__stg_" in name]
    assert len(left) == 2
    load(warehouse, target, MERGE, Chunks([(4, "d")]), attempt=RETRY)
    assert len([name for name in warehouse.tables() if "__stg_" in name]) == 1
    assert warehouse.rows(target) == [*OLD, (4, "d")]


def test_the_size_of_what_was_staged_is_told_where_it_is_known(warehouse: Warehouse) -> None:
    target = items(warehouse)
    many = warehouse.source(ITEMS, [(i, "x" * 100) for i in range(200)])
    few, more = (
        load(warehouse, target, MERGE, source).bytes
        for source in (warehouse.source(ITEMS, [(1, "a")]), many)
    )
    if warehouse.engine.name == "postgres":
        assert few is not None
        assert more is not None
        assert 0 < few < 20_000 < more < 100_000
    else:
        assert (few, more) == (None, None)
