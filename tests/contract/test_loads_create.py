"""Targets that a load makes: the columns of the source, what the verb adds, and the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.specs import Append, Increment, Merge, NullKeys
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import FIRST, ITEMS, MERGE, OLD, RETRY, load
from tests.contract.scenarios import SCENARIOS
from tests.contract.test_loads_races import TASKS, race
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from tests.warehouses import Warehouse

TELLING = sorted(set(SCENARIOS) - {"changes_debezium", "drift"})


@pytest.mark.parametrize("scenario", TELLING)
def test_a_made_target_holds_what_one_made_by_hand_would(
    warehouse: Warehouse, scenario: str
) -> None:
    told = SCENARIOS[scenario]
    by_hand = warehouse.table("target", told.target, key=told.key)
    warehouse.table("source", told.source, told.new)
    told.run(warehouse.runner, warehouse.schema, FIRST)
    columns, expected = described(warehouse), warehouse.rows(by_hand, *told.target)
    warehouse.runner.execute(f"drop table {warehouse.sql(by_hand)}")
    if "__tombstones" in "".join(warehouse.tables()):
        gone = warehouse.relation("target__tombstones")
        warehouse.runner.execute(f"drop table {warehouse.sql(gone)}")
    if "dataops_watermarks" in warehouse.tables():
        marks = warehouse.sql(warehouse.relation("dataops_watermarks"))
        warehouse.runner.execute(f"delete from {marks}")
    for attempt in (FIRST, RETRY):
        told.run(warehouse.runner, warehouse.schema, attempt, create=True)
        assert warehouse.rows(by_hand, *told.target) == expected
    assert described(warehouse) == columns
    assert not any("__stg_" in name for name in warehouse.tables())


def described(warehouse: Warehouse) -> dict[str, str]:
    table = read_table(warehouse.runner, warehouse.relation("target"))
    assert table is not None
    return {column.name: column.type for column in table.columns}


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (Merge(keys=("id",)), ["id"]),
        (Merge(keys=("id",), null_keys=NullKeys.MATCH), []),
        (Append(keys=("name", "id")), ["name", "id"]),
        (Append(), []),
        (Increment(cursor="id", keys=("name",)), ["name"]),
    ],
    ids=["merge", "null keys", "append", "whole rows", "increment"],
)
def test_postgres_gets_the_key_that_makes_upserts_fast(verb: Any, expected: list[str]) -> None:
    with open_warehouse("postgres") as warehouse:
        target = warehouse.relation("made")
        load(warehouse, target, verb, warehouse.source(ITEMS, OLD), create=True)
        found = warehouse.runner.fetch(
            "select a.attname from pg_index as i, unnest(i.indkey) with ordinality as k(n, place)"
            " join pg_attribute as a on a.attnum = k.n"
            f" where i.indrelid = '{warehouse.sql(target)}'::regclass and i.indisprimary"
            " and a.attrelid = i.indrelid order by k.place"
        )
        assert [name for (name,) in found] == expected
        assert warehouse.rows(target) == OLD


def test_a_target_that_is_there_is_left_alone(warehouse: Warehouse) -> None:
    target = warehouse.table("items", ITEMS, OLD)
    with pytest.raises(RunError, match="the source has size"):
        load(warehouse, target, MERGE, warehouse.source(ITEMS | {"size": "int"}), create=True)
    assert warehouse.rows(target) == OLD


def test_nothing_is_made_for_settings_that_name_no_column(warehouse: Warehouse) -> None:
    target = warehouse.relation("made")
    with pytest.raises(RunError, match=r"the source of .*made has no column 'no'.*keys"):
        load(warehouse, target, Merge(keys=("no",)), warehouse.source(ITEMS, OLD), create=True)
    assert not {name for name in warehouse.tables() if name.startswith("made")}


def test_debeziums_objects_do_not_tell_the_columns(warehouse: Warehouse) -> None:
    told = SCENARIOS["changes_debezium"]
    warehouse.table("source", told.source, told.new)
    with pytest.raises(ConfigError, match=r"target does not exist.*create it yourself"):
        told.run(warehouse.runner, warehouse.schema, FIRST, create=True)
    assert warehouse.tables() == {"source"}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_two_workers_make_one_target(engine: str) -> None:
    with open_warehouse(engine) as warehouse:
        for _ in range(5):
            told = SCENARIOS["merge_without_index"]
            warehouse.table("source", told.source, told.new)
            outcomes = race(warehouse, "merge_without_index", TASKS, create=True)
            assert outcomes == [None, None]
            assert warehouse.rows(warehouse.relation("target")) == sorted(told.new)
            for name in warehouse.tables():
                warehouse.runner.execute(f"drop table {warehouse.sql(warehouse.relation(name))}")
