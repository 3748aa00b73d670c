"""What cannot be loaded: a clear error, the table as it was, the staging gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from msgspec.structs import replace

from airflow_dataops.core.engines.statements import MARK
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    ApplyChanges,
    Compare,
    Drift,
    Envelope,
    History,
    Increment,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from tests.contract.loading import (
    ITEMS,
    MERGE,
    OLD,
    RETRY,
    Chunks,
    Spy,
    items,
    lease,
    load,
    run,
)
from tests.contract.scenarios import SCENARIOS
from tests.postgres import PostgresRunner
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse


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
    with pytest.raises(Exception, match=r"(?i)no_such_table"):
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
    from airflow_dataops.core.engines.identifiers import quote

    with pytest.raises(ConfigError):
        quote(f"a{MARK}b", "duckdb")


# Columns that the table fills itself

COMPUTED = {
    "duckdb": "create table {} (id integer, name varchar, size integer as (length(name)))",
    "postgres": (
        "create table {} (id integer, name varchar,"
        " size integer generated always as (length(name)) stored)"
    ),
}
NUMBERED = "create table {} (id integer, name varchar, size integer generated always as identity)"
SIZED = ITEMS | {"size": "int"}
WRITING = [
    MERGE,
    Merge(keys=("id",), compare=Compare.CHANGED),
    Replace(),
    Append(),
    Append(keys=("id",)),
    LoadPartition(values={"id": 3}),
]


@pytest.fixture(params=["duckdb computed", "postgres computed", "postgres numbered"])
def filled(request: pytest.FixtureRequest) -> Iterator[tuple[Warehouse, Relation]]:
    """A table one of whose columns takes no values."""
    engine, kind = request.param.split()
    with open_warehouse(engine) as warehouse:
        target = warehouse.relation("filled")
        statement = COMPUTED[engine] if kind == "computed" else NUMBERED
        warehouse.runner.execute(statement.format(warehouse.sql(target)))
        warehouse.add(target, ("id", "name"), OLD)
        yield warehouse, target


@pytest.mark.parametrize("verb", WRITING, ids=lambda verb: type(verb).__name__)
def test_values_for_a_column_that_the_table_fills_are_refused(
    filled: tuple[Warehouse, Relation], verb: Verb
) -> None:
    warehouse, target = filled
    before = warehouse.rows(target)
    source = warehouse.source(SIZED, [(3, "ccc", 9)])
    with pytest.raises(RunError, match=r"fills size \((computed|numbered)\) itself.*leave it out"):
        load(warehouse, target, verb, source)
    assert warehouse.rows(target) == before
    load(warehouse, target, verb, source, drift=Drift.IGNORE)
    assert (3, "ccc") in warehouse.rows(target, "id", "name")


@pytest.mark.parametrize("verb", WRITING, ids=lambda verb: type(verb).__name__)
def test_a_table_that_fills_a_column_is_loaded_without_it(
    filled: tuple[Warehouse, Relation], verb: Verb
) -> None:
    warehouse, target = filled
    for _ in range(2):
        load(warehouse, target, verb, warehouse.source(ITEMS, [(3, "ccc")]))
    kept = [] if isinstance(verb, Replace) else OLD
    assert warehouse.rows(target, "id", "name") == [*kept, (3, "ccc")]
    assert all(size is not None for (size,) in warehouse.rows(target, "size"))


def test_the_numbers_of_an_identity_go_on_after_a_replacement() -> None:
    with open_warehouse("postgres") as warehouse:
        target = warehouse.relation("numbered")
        name = warehouse.sql(target)
        warehouse.runner.execute(
            f"create table {name} (n integer generated by default as identity, name varchar)"
        )
        warehouse.runner.execute(f"insert into {name} (name) values ('a'), ('b')")
        load(
            warehouse, target, Replace(), warehouse.source({"n": "int", "name": "text"}, [(2, "B")])
        )
        warehouse.runner.execute(f"insert into {name} (name) values ('c')")
        assert warehouse.rows(target) == [(2, "B"), (3, "c")]


# Types without an equality

JSONS = {"id": "int", "body": "json"}
TIMES = {"valid_from": "int", "valid_to": "int", "is_current": "bool"}


@pytest.mark.parametrize(
    ("verb", "target", "message"),
    [
        (Merge(keys=("id",), compare=Compare.CHANGED), JSONS, "compare is changed: set it to"),
        (Merge(keys=("body",)), JSONS, "it is a key: name other columns in keys"),
        (Merge(keys=("id",), order_by=("id",)), JSONS, "several staged rows have the same key"),
        (Append(), JSONS, "without keys a row is the same when all columns are: name keys"),
        (Append(keys=("id",)), JSONS, "several staged rows have the same key"),
        (Increment(cursor="id"), JSONS, "without keys a row is the same when all columns are"),
        (History(keys=("id",), effective_at="id"), JSONS | TIMES, "versions are compared"),
    ],
    ids=["changed", "key", "last row", "append", "by key", "increment", "history"],
)
def test_values_that_postgres_cannot_compare_are_named(
    verb: Verb, target: dict[str, str], message: str
) -> None:
    with open_warehouse("postgres") as warehouse:
        made = warehouse.table("documents", target)
        source = warehouse.source(JSONS, [(1, '{"a": 1}'), (1, '{"a": 2}')])
        with pytest.raises(RunError, match=rf"body \(json\) are equal, and {message}"):
            load(warehouse, made, verb, source)
        assert warehouse.rows(made) == []


def test_values_that_need_no_comparison_are_loaded() -> None:
    with open_warehouse("postgres") as warehouse:
        for number, verb in enumerate([MERGE, Replace(), Append(keys=("id",))]):
            target = warehouse.table(f"documents_{number}", JSONS)
            for _ in range(2):
                load(warehouse, target, verb, warehouse.source(JSONS, [(1, '{"a": 1}')]))
            assert warehouse.rows(target) == [(1, {"a": 1})]


# Change events

TARGET = ITEMS | {"_sequence": "bigint"}
PLAIN = ITEMS | {"op": "text", "lsn": "bigint"}
ENVELOPE = {"before": "text", "after": "text", "op": "text", "lsn": "bigint"}
CHANGES = ApplyChanges(keys=("id",), sequence="lsn")
DEBEZIUM = ApplyChanges(keys=("id",), sequence="lsn", envelope=Envelope.DEBEZIUM)


@pytest.fixture
def changed(warehouse: Warehouse) -> Relation:
    return warehouse.table("changed", TARGET, [(1, "a", 1)])


@pytest.mark.parametrize("op", ["x", "t", "m", "", None])
def test_events_of_an_unknown_kind_are_refused_or_ignored_by_choice(
    warehouse: Warehouse, changed: Relation, op: str | None
) -> None:
    plain = warehouse.source(PLAIN, [(1, "b", "u", 2), (2, "c", op, 3)])
    envelopes = warehouse.source(
        ENVELOPE, [(None, '{"id": 1, "name": "b"}', "u", 2), (None, '{"id": 2}', op, 3)]
    )
    for verb, source in ((CHANGES, plain), (DEBEZIUM, envelopes)):
        with pytest.raises(RunError, match=r"1 of 2 staged rows have in op none of .*or ignores"):
            load(warehouse, changed, verb, source)
        assert warehouse.rows(changed) == [(1, "a", 1)]
    if op is not None:
        for verb, source in ((CHANGES, plain), (DEBEZIUM, envelopes)):
            result = load(warehouse, changed, replace(verb, ignores=("q", op)), source)
            assert result.staged == 2
            assert warehouse.rows(changed) == [(1, "b", 2)]


def test_ignored_events_need_no_row_and_no_sequence(
    warehouse: Warehouse, changed: Relation
) -> None:
    verb = replace(DEBEZIUM, ignores=("m", "t"))
    source = warehouse.source(ENVELOPE, [(None, None, "m", None), (None, None, "t", 4)])
    load(warehouse, changed, verb, source)
    assert warehouse.rows(changed) == [(1, "a", 1)]


def test_fields_that_the_table_has_not_are_refused_or_left_out_by_choice(
    warehouse: Warehouse, changed: Relation
) -> None:
    rows = [
        (None, '{"id": 2, "name": "b", "size": 1}', "c", 2),
        ('{"id": 1, "colour": "red"}', None, "d", 3),
    ]
    source = warehouse.source(ENVELOPE, rows)
    for drift, what in ((Drift.REFUSE, "set drift to ignore"), (Drift.ADD, "add them .* yourself")):
        with pytest.raises(RunError, match=f"the fields colour, size, which the table.*{what}"):
            load(warehouse, changed, DEBEZIUM, source, drift=drift)
        assert warehouse.rows(changed) == [(1, "a", 1)]
    load(warehouse, changed, DEBEZIUM, source, drift=Drift.IGNORE)
    assert warehouse.rows(changed) == [(2, "b", 2)]


def test_fields_go_by_their_names_in_any_case(warehouse: Warehouse, changed: Relation) -> None:
    source = warehouse.source(ENVELOPE, [('{"ID": 1}', '{"ID": 7, "Name": "x"}', "u", 2)])
    load(warehouse, changed, DEBEZIUM, source)
    assert warehouse.rows(changed) == [(7, "x", 2)]


def test_changes_of_the_schema_are_told_from_tombstones(
    warehouse: Warehouse, changed: Relation
) -> None:
    columns = ENVELOPE | {"ddl": "text"}
    tombstone = (None, None, None, 2, None)
    load(warehouse, changed, DEBEZIUM, warehouse.source(columns, [tombstone]))
    source = warehouse.source(columns, [tombstone, (None, None, None, None, "alter table t")])
    with pytest.raises(RunError, match=r"1 of 2 staged rows are changes of the source's schema"):
        load(warehouse, changed, DEBEZIUM, source)
    assert warehouse.rows(changed) == [(1, "a", 1)]


def test_envelopes_that_are_wrapped_with_their_schema_are_refused(
    warehouse: Warehouse, changed: Relation
) -> None:
    source = warehouse.source({"schema": "text", "payload": "text"}, [("{}", "{}")])
    with pytest.raises(RunError, match=r"'payload' and no 'op'.*schemas.enable=false"):
        load(warehouse, changed, DEBEZIUM, source)


def test_a_record_that_is_no_json_leaves_the_table_as_it_was(
    warehouse: Warehouse, changed: Relation
) -> None:
    with pytest.raises(Exception, match=r"(?i)json"):
        load(warehouse, changed, DEBEZIUM, warehouse.source(ENVELOPE, [(None, "{", "c", 1)]))
    assert warehouse.rows(changed) == [(1, "a", 1)]


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
