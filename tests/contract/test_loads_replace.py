"""Replace, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.specs import Drift, OnEmpty, Replace
from airflow_dataops.errors import RunError
from tests.contract.loading import load
from tests.postgres import open_postgres
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

ITEMS = {"id": "int", "name": "text", "price": "decimal"}
OLD = [(1, "a", None), (2, "b", None)]


@pytest.fixture(params=["with a primary key", "without"])
def items(request: pytest.FixtureRequest, warehouse: Warehouse) -> Relation:
    key = ("id",) if request.param == "with a primary key" else ()
    return warehouse.table("items", ITEMS, OLD, key=key)


def test_all_rows_are_replaced(warehouse: Warehouse, items: Relation) -> None:
    source = warehouse.source({"NAME": "text", "id": "int"}, [("b", 2), ("c", 3)])
    for _ in range(2):
        load(warehouse, items, Replace(), source)
    assert warehouse.rows(items, "id", "name", "price") == [(2, "b", None), (3, "c", None)]


def test_the_columns_keep_their_types_and_order(warehouse: Warehouse, items: Relation) -> None:
    before = columns(warehouse, items)
    load(warehouse, items, Replace(), warehouse.source({"id": "int"}, [(7,)]))
    assert columns(warehouse, items) == before


def columns(warehouse: Warehouse, relation: Relation) -> list[tuple[str, str]]:
    from airflow_dataops.core.sql.tables import read_table

    table = read_table(warehouse.runner, relation)
    assert table is not None
    return [(column.name, column.type) for column in table.columns]


def test_nr_5_an_empty_source_fails(warehouse: Warehouse, items: Relation) -> None:
    with pytest.raises(RunError, match="the source has no rows"):
        load(warehouse, items, Replace(), warehouse.source(ITEMS))
    assert warehouse.rows(items) == OLD


def test_nr_5_an_empty_source_empties_the_table_on_request(
    warehouse: Warehouse, items: Relation
) -> None:
    load(warehouse, items, Replace(on_empty=OnEmpty.WRITE), warehouse.source(ITEMS))
    assert warehouse.rows(items) == []


def test_nr_15_new_columns_are_added_on_request(warehouse: Warehouse, items: Relation) -> None:
    source = warehouse.source({"id": "int", "colour": "text"}, [(1, "red")])
    load(warehouse, items, Replace(), source, drift=Drift.ADD)
    assert warehouse.rows(items) == [(1, None, None, "red")]


@pytest.fixture
def postgres() -> Iterator[Warehouse]:
    with open_warehouse("postgres") as opened:
        yield opened


INDEXES = "select indexname, replace(indexdef, 'UNIQUE ', '') from pg_indexes where tablename ="


def test_a_swapped_postgres_table_keeps_what_it_has(postgres: Warehouse) -> None:
    """Indexes and constraints with their names, grants, defaults, checks and comments."""
    items = postgres.table("items", ITEMS, OLD, key=("id",))
    name, runner = postgres.sql(items), postgres.runner
    for statement in (
        f'create index "by name" on {name} (lower(name), price desc) where price > 0',
        f"create unique index on {name} (name) include (price)",
        f"alter table {name} add constraint positive check (price > 0)",
        f"alter table {name} add constraint named unique (name, id)",
        f"alter table {name} alter price set default 9, alter name set not null",
        f"comment on table {name} is 'it''s ours'",
        f"comment on column {name}.price is 'euros'",
        f"grant select on {name} to public",
    ):
        runner.execute(statement)
    before = belongings(postgres, items)
    source = postgres.source({"id": "int", "name": "text", "price": "decimal"}, [(3, "c", 1)])
    load(postgres, items, Replace(), source)
    load(postgres, items, Replace(), source)
    after = belongings(postgres, items)
    assert after["oid"] != before.pop("oid")
    del after["oid"]
    assert after == before
    runner.execute(f"insert into {name} (id, name) values (4, 'd')")
    assert [tuple(map(int, row)) for row in postgres.rows(items, "id", "price")] == [(3, 1), (4, 9)]


def belongings(postgres: Warehouse, items: Relation) -> dict[str, object]:
    name = f"'{postgres.sql(items)}'::regclass"
    queries = {
        "oid": f"select {name}::oid",
        "indexes": "select indexname, indexdef from pg_indexes"
        f" where schemaname = '{items.schema}' and tablename = '{items.identifier}' order by 1",
        "constraints": "select conname, pg_get_constraintdef(oid) from pg_constraint"
        f" where conrelid = {name} order by 1",
        "defaults": "select column_name, column_default, is_nullable, col_description("
        f"{name}, ordinal_position) from information_schema.columns"
        f" where table_schema = '{items.schema}' and table_name = '{items.identifier}' order by 1",
        "grants": f"select relacl::text, relowner, obj_description(oid) from pg_class"
        f" where oid = {name}",
    }
    return {what: postgres.runner.fetch(sql) for what, sql in queries.items()}


@pytest.mark.parametrize(
    "hanging",
    [
        "create view {schema}.v as select * from {table}",
        "create table {schema}.child (id int references {table})",
        "create publication p{number} for table {table}",
        "alter table {table} add column nr serial",
        "create policy mine on {table}; alter table {table} enable row level security",
        "create function {schema}.f(r {table}) returns int language sql as 'select 1'",
    ],
    ids=["view", "foreign key", "publication", "sequence", "policy", "function of its row"],
)
def test_a_postgres_table_that_others_hang_on_is_not_swapped(
    postgres: Warehouse, hanging: str
) -> None:
    items = postgres.table("items", ITEMS, OLD, key=("id",))
    before = belongings(postgres, items)["oid"]
    statement = hanging.format(
        schema=postgres.schema, table=postgres.sql(items), number=postgres.schema[5:]
    )
    for part in statement.split(";"):
        postgres.runner.execute(part)
    load(postgres, items, Replace(), postgres.source(ITEMS, [(1, "z", None)]))
    assert postgres.rows(items, "id", "name") == [(1, "z")]
    assert belongings(postgres, items)["oid"] == before


def test_a_replaced_duckdb_table_keeps_what_it_has() -> None:
    with open_warehouse("duckdb") as duck:
        items = duck.table("items", ITEMS, OLD)
        name = duck.sql(items)
        duck.runner.execute(f"create index by_name on {name} (name)")
        duck.runner.execute(f"alter table {name} alter price set default 9")
        load(duck, items, Replace(), duck.source({"id": "int"}, [(3,)]))
        assert duck.rows(items, "id", "price") == [(3, 9)]
        assert duck.runner.fetch("select index_name from duckdb_indexes()") == [("by_name",)]


def test_readers_of_postgres_wait_for_names_only(postgres: Warehouse) -> None:
    """A reader that began before sees the old rows, one that comes after the new ones."""
    items = postgres.table("items", ITEMS, OLD)
    with open_postgres() as reader:
        load(postgres, items, Replace(), postgres.source(ITEMS, [(3, "c", None)]))
        assert reader.fetch(f"select id from {postgres.sql(items)}") == [(3,)]
