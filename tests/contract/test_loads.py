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
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Placement, Query
from airflow_dataops.core.loads.specs import (
    Append,
    Attempt,
    Drift,
    History,
    Increment,
    Load,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql.statements import MARK
from airflow_dataops.errors import ConfigError, RetryableError, RunError, SupersededError
from tests.contract.loading import load
from tests.contract.scenarios import SCENARIOS
from tests.postgres import PostgresRunner
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

ITEMS = {"id": "int", "name": "text"}
OLD = [(1, "a"), (2, "b")]
MERGE = Merge(keys=("id",))
FIRST = Attempt(owner="shop.items", run_id="monday", try_number=1)
RETRY = Attempt(owner="shop.items", run_id="monday", try_number=2)
OTHER = Attempt(owner="shop.other", run_id="monday", try_number=1)
EVERY_VERB = pytest.mark.parametrize("scenario", sorted(SCENARIOS))


class Spy:
    """Passes statements on, remembers them, and does something before those that match."""

    def __init__(
        self, runner: SqlRunner, at: str = "\n", then: Callable[[], object] = lambda: None
    ) -> None:
        self._runner = runner
        self._at = at
        self._then = then
        self.told: list[str] = []
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._see(sql)
        return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._see(sql)
        return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            self._see("BEGIN")
            yield
        self.told.append("COMMIT")

    def _see(self, sql: str) -> None:
        self.told.append(sql)
        if self._at in sql:
            self._at = "\n\n\n"  # once
            self._then()


def run(warehouse: Warehouse, runner: SqlRunner, scenario: str, attempt: Attempt = FIRST) -> None:
    SCENARIOS[scenario].run(runner, warehouse.schema, attempt)


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
    inside = spy.told[spy.told.index("BEGIN") + 1 : spy.told.index("COMMIT")]
    assert "dataops_leases" in inside[0], "the fence comes first"
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


# 15: schema drift


def items(warehouse: Warehouse, columns: dict[str, str] | None = None) -> Relation:
    columns = columns or ITEMS
    rows = [(*row, *[None] * (len(columns) - 2)) for row in OLD]
    return warehouse.table("items", columns, rows)


def test_nr_15_new_columns_are_refused_before_anything_is_written(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    with pytest.raises(RunError, match=r"the source has colour .*which the table has not"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == OLD


def test_nr_15_new_columns_are_left_out_or_added_on_request(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    load(warehouse, target, MERGE, source, drift=Drift.IGNORE)
    assert warehouse.rows(target) == [*OLD, (3, "c")]
    load(warehouse, target, MERGE, source, drift=Drift.ADD)
    assert warehouse.rows(target) == [(1, "a", None), (2, "b", None), (3, "c", "red")]


def test_nr_15_columns_go_by_name_not_by_place(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source({"name": "text", "id": "int"}, [("c", 3)])
    load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == [*OLD, (3, "c")]


def test_nr_15_required_columns_that_the_source_lacks_are_named(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "name": "varchar not null"})
    with pytest.raises(RunError, match="the table requires 'name', which the source lacks"):
        load(warehouse, target, MERGE, warehouse.source({"id": "int"}, [(1,)]))


def test_required_columns_with_a_default_may_be_left_out(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "n": "integer default 7 not null"})
    load(warehouse, target, Append(), warehouse.source({"id": "int"}, [(1,)]))
    assert warehouse.rows(target) == [(1, 7)]


@pytest.mark.parametrize(
    ("theirs", "ours", "value", "message"),
    [
        ("text", "int", "1", "text is not integer"),
        ("int", "text", 1, "integer is not text"),
        ("float", "int", 1.5, "float is not integer"),
        ("float", "decimal", 1.5, "float is not decimal"),
        ("decimal(18,4)", "decimal", 1, "it would lose digits after the point"),
        ("time", "date", "2026-01-02 03:04:05", "are different things"),
        ("time", "zoned", "2026-01-02 03:04:05", "are different things"),
        ("bool", "int", True, "boolean is not integer"),
    ],
)
def test_nr_15_changed_types_are_refused(
    warehouse: Warehouse, theirs: str, ours: str, value: object, message: str
) -> None:
    target = warehouse.table("t", {"id": "int", "v": ours})
    source = warehouse.source({"id": "int", "v": theirs}, [(1, value)])
    with pytest.raises(RunError, match=rf"v is .* in the source and .*{message}"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == []


@pytest.mark.parametrize(
    ("theirs", "ours", "value", "kept"),
    [
        ("int", "bigint", 1, 1),
        ("bigint", "int", 1, 1),
        ("int", "decimal", 1, 1),
        ("int", "float", 1, 1.0),
        ("date", "time", "2026-01-02", "2026-01-02 00:00:00"),
        ("text", "uuid", "6f2b7c8e-0c7e-4b1c-8d5f-3a1d1f7a0001", None),
        ("text", "json", '{"a": 1}', None),
    ],
)
def test_nr_15_types_that_fit_are_converted(
    warehouse: Warehouse, theirs: str, ours: str, value: object, kept: object
) -> None:
    target = warehouse.table("t", {"id": "int", "v": ours})
    load(warehouse, target, MERGE, warehouse.source({"id": "int", "v": theirs}, [(1, value)]))
    [(_, found)] = warehouse.rows(target)
    if kept is not None:
        assert str(found) in (str(kept), f"{kept}.00")


def test_a_column_of_bare_nulls_fits(warehouse: Warehouse) -> None:
    target = items(warehouse)
    load(warehouse, target, MERGE, Query(sql="select 1 as id, null as name"))
    assert warehouse.rows(target) == [(1, None), (2, "b")]


def test_a_value_that_is_too_large_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    target = items(warehouse)
    source = warehouse.source({"id": "bigint", "name": "text"}, [(2, "B"), (2**40, "c")])
    with pytest.raises(Exception, match=r"(?i)out of range"):
        load(warehouse, target, MERGE, source)
    assert warehouse.rows(target) == OLD
    assert load(warehouse, target, MERGE, warehouse.source(ITEMS, [(2, "B")])).staged == 1


# 16: identifiers

ODD = ['Id "x"', "na'me", "100 %s?", "SELECT", "größe", "a.b", "$1", "id"]


@EVERY_VERB
def test_nr_16_case_of_names_is_folded_where_it_alone_differs(
    warehouse: Warehouse, scenario: str
) -> None:
    import dataclasses

    folded = dataclasses.replace(
        SCENARIOS[scenario],
        source={name.upper(): kind for name, kind in SCENARIOS[scenario].source.items()},
    )
    if scenario in ("changes_debezium", "increment", "increment_without_keys"):
        pytest.skip("the engine itself looks these columns up in the source")
    SCENARIOS[scenario].set_up(warehouse)
    run(warehouse, warehouse.runner, scenario)
    expected = warehouse.rows(warehouse.relation("target"))
    with open_warehouse(warehouse.engine.name) as other:
        folded.set_up(other)
        folded.run(other.runner, other.schema, FIRST)
        found = other.rows(other.relation("target"))
    assert [row[:2] for row in found] == [row[:2] for row in expected]


def test_nr_16_names_are_quoted(warehouse: Warehouse) -> None:
    columns = dict.fromkeys(ODD, "text")
    row = tuple(ODD)
    for number, verb in enumerate(
        (
            Merge(keys=(ODD[0], ODD[2]), order_by=(ODD[1],)),
            LoadPartition(values={ODD[2]: ODD[2], ODD[0]: ODD[0]}),
            Append(keys=(ODD[2],)),
            Append(),
            Replace(),
        )
    ):
        target = warehouse.table(f'{number} odd "table" %s', columns, [row])
        source = warehouse.source(columns, [row, row], name=f'from {number} %s "x"')
        if isinstance(verb, (LoadPartition, Replace)):
            source = Query(sql=f"select distinct * from ({source.sql}) as s")
        load(warehouse, target, verb, source)
        assert warehouse.rows(target) == [row]


def test_nr_16_names_that_are_too_long_are_refused(warehouse: Warehouse) -> None:
    target = Relation(identifier="x" * 2000, schema=warehouse.schema)
    with pytest.raises(ConfigError, match="longer than"):
        load(warehouse, target, MERGE, warehouse.source(ITEMS))


def test_nr_16_staging_names_of_long_tables_do_not_collide(warehouse: Warehouse) -> None:
    for end in "ab":
        target = warehouse.table("é" * 31 + end, ITEMS, OLD)
        load(warehouse, target, MERGE, warehouse.source(ITEMS, [(3, end)]))
        assert warehouse.rows(target) == [*OLD, (3, end)]


# 17 and 19: leases, zombies


def lease(warehouse: Warehouse) -> tuple[Any, ...]:
    [row] = warehouse.runner.fetch(
        "select token, owner, try_number, expires_epoch"
        f" from {warehouse.sql(warehouse.relation('dataops_leases'))}"
    )
    return row


def test_nr_17_the_lease_is_free_after_a_load(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    for token in (1, 2):
        load(warehouse, target, MERGE, source)
        assert lease(warehouse)[::3] == (token, 0)


def test_nr_17_the_lease_is_free_after_an_error(warehouse: Warehouse) -> None:
    target = items(warehouse)
    with pytest.raises(RunError):
        load(warehouse, target, MERGE, warehouse.source(ITEMS, [(None, "c")]))
    assert lease(warehouse)[3] == 0


def test_nr_17_another_task_waits_and_then_gives_up(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    errors: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(RetryableError) as caught:
            begin(warehouse, target, source, OTHER, wait=timedelta(seconds=0.2))
        errors.append(str(caught.value))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    begin(warehouse, target, source, FIRST, runner=spy)
    assert "shop.items in run monday (try 1) may load it for another" in errors[0]
    assert warehouse.rows(target) == [*OLD, (3, "c")]


def begin(
    warehouse: Warehouse,
    target: Relation,
    source: Query,
    attempt: Attempt,
    *,
    runner: SqlRunner | None = None,
    **settings: Any,
) -> None:
    wanted = Load(target=target, verb=MERGE, attempt=attempt, **settings)
    run_load(wanted, source, runner or warehouse.session())


def test_nr_17_another_partition_does_not_wait(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    other = warehouse.source(ITEMS, [(4, "d")])

    def meanwhile() -> None:
        begin(warehouse, target, other, OTHER, partition="2", wait=timedelta(0))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    begin(warehouse, target, source, FIRST, runner=spy, partition="1")
    assert warehouse.rows(target) == [*OLD, (3, "c"), (4, "d")]


def test_nr_17_a_lease_that_has_expired_is_free(warehouse: Warehouse) -> None:
    """The one who let it expire cannot publish any more."""
    target = items(warehouse)
    mine, theirs = warehouse.source(ITEMS, [(3, "c")]), warehouse.source(ITEMS, [(4, "d")])

    def meanwhile() -> None:
        begin(warehouse, target, theirs, OTHER, wait=timedelta(0))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    with pytest.raises(SupersededError, match="another attempt has taken this load's place"):
        begin(warehouse, target, mine, FIRST, runner=spy, lease=timedelta(0))
    assert warehouse.rows(target) == [*OLD, (4, "d")]


def test_nr_19_a_retry_takes_the_lease_at_once_and_the_zombie_writes_nothing(
    warehouse: Warehouse,
) -> None:
    target = items(warehouse)
    old, new = warehouse.source(ITEMS, [(3, "zombie")]), warehouse.source(ITEMS, [(3, "retry")])

    def meanwhile() -> None:
        begin(warehouse, target, new, RETRY, wait=timedelta(0))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    with pytest.raises(SupersededError):
        begin(warehouse, target, old, FIRST, runner=spy)
    assert warehouse.rows(target) == [*OLD, (3, "retry")]
    assert lease(warehouse)[:4:2] == (2, 2)


def test_nr_19_a_zombie_that_comes_late_does_not_begin(warehouse: Warehouse) -> None:
    target = items(warehouse)
    begin(warehouse, target, warehouse.source(ITEMS, [(3, "retry")]), RETRY)
    with pytest.raises(SupersededError, match=r"try 2 of shop.items in run monday has begun"):
        begin(warehouse, target, warehouse.source(ITEMS, [(3, "zombie")]), FIRST)
    assert warehouse.rows(target) == [*OLD, (3, "retry")]


def test_nr_19_each_try_of_another_run_is_another_load(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    begin(warehouse, target, source, RETRY)
    begin(warehouse, target, source, Attempt(owner=FIRST.owner, run_id="tuesday"))


# 18: a source of several chunks


class Chunks:
    """A source that comes in pieces, and may break."""

    placement = Placement.SHARED

    def __init__(self, rows: Sequence[tuple[Any, ...]], breaks_after: int | None = None) -> None:
        self._rows = rows
        self._breaks_after = breaks_after

    def since(self, since: object) -> Chunks:
        return self

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        from airflow_dataops.core.sql.relations import render

        name = render(staging, runner.dialect)
        runner.execute(f"create table {name} (id integer, name varchar)")
        for number, row in enumerate(self._rows):
            if number == self._breaks_after:
                raise ConnectionError("the network is down")
            mark = runner.placeholder
            runner.execute(f"insert into {name} values ({mark}, {mark})", row)
        return len(self._rows)


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


# bad input


def test_a_missing_table_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(RunError, match=r"\.nowhere does not exist; create it"):
        load(warehouse, warehouse.relation("nowhere"), MERGE, warehouse.source(ITEMS))
    assert "dataops_leases" not in warehouse.tables()


def test_a_view_is_no_target(warehouse: Warehouse) -> None:
    target = warehouse.table("t", ITEMS)
    view = warehouse.relation("v")
    warehouse.runner.execute(
        f"create view {warehouse.sql(view)} as select * from {warehouse.sql(target)}"
    )
    with pytest.raises(RunError, match="is a view"):
        load(warehouse, view, MERGE, warehouse.source(ITEMS))


def test_a_query_that_fails_leaves_everything_as_it_was(warehouse: Warehouse) -> None:
    target = items(warehouse)
    with pytest.raises(Exception, match="no_such_table"):
        load(warehouse, target, MERGE, Query(sql="select * from no_such_table"))
    assert (warehouse.rows(target), lease(warehouse)[3]) == (OLD, 0)


def test_a_source_that_makes_no_table_is_named(warehouse: Warehouse) -> None:
    class Nothing(Chunks):
        def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
            return 0

    with pytest.raises(RunError, match="the source made no table"):
        load(warehouse, items(warehouse), MERGE, Nothing([]))


def test_source_columns_that_differ_by_case_alone_are_refused() -> None:
    with open_warehouse("postgres") as warehouse:
        target = items(warehouse)
        source = Query(sql="select 1 as id, 2 as \"ID\", 'c' as name")
        with pytest.raises(RunError, match="differ by case alone"):
            load(warehouse, target, MERGE, source)


@pytest.mark.parametrize("scenario", ["partition", "merge", "replace", "history", "changes"])
@pytest.mark.parametrize("at", ["create temporary table", "count(*)", "BEGIN", "insert into"])
def test_a_postgres_session_that_dies_in_the_middle(scenario: str, at: str) -> None:
    """The error says to run again; a retry on a new session ends right."""
    with open_warehouse("postgres") as warehouse:
        SCENARIOS[scenario].set_up(warehouse)
        before = warehouse.rows(warehouse.relation("target"))
        doomed = PostgresRunner()
        [(pid,)] = doomed.fetch("select pg_backend_pid()")

        def terminate() -> None:
            warehouse.runner.fetch(f"select pg_terminate_backend({pid}, 5000)")

        with pytest.raises(RetryableError, match="the session with the warehouse ended") as caught:
            run(warehouse, Spy(doomed, at, terminate), scenario)
        assert isinstance(caught.value.__cause__, psycopg.OperationalError)
        assert warehouse.rows(warehouse.relation("target")) == before
        assert not any("__stg_" in name for name in warehouse.tables())
        run(warehouse, warehouse.runner, scenario, RETRY)
        assert warehouse.rows(warehouse.relation("target")) != before


def test_the_mark_of_values_cannot_be_in_a_name() -> None:
    from airflow_dataops.core.sql.identifiers import quote

    with pytest.raises(ConfigError):
        quote(f"a{MARK}b", "duckdb")


@pytest.mark.parametrize(
    "verb",
    [History(keys=("id",), effective_at="at"), Increment(cursor="at"), Replace(), Append()],
    ids=["history", "increment", "replace", "append"],
)
def test_missing_columns_are_named_by_every_verb(warehouse: Warehouse, verb: Any) -> None:
    target = items(warehouse)
    with pytest.raises(RunError, match=r"'valid_from'|'at'|'size'|size "):
        load(warehouse, target, verb, warehouse.source({"id": "int", "size": "int"}, [(1, 2)]))
    assert warehouse.rows(target) == OLD
