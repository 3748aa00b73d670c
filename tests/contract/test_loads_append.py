"""Append, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.specs import Append, NullKeys
from airflow_dataops.errors import RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

EVENTS = {"id": "int", "kind": "text", "n": "decimal"}
OLD = [(1, "a", None), (2, None, None)]


@pytest.fixture(params=["with a primary key", "without"])
def events(request: pytest.FixtureRequest, warehouse: Warehouse) -> Relation:
    key = ("id",) if request.param == "with a primary key" else ()
    return warehouse.table("events", EVENTS, OLD, key=key)


def test_rows_are_added_once(warehouse: Warehouse) -> None:
    """All columns are the key; NULL equals NULL; copies within the batch are one."""
    events = warehouse.table("events", EVENTS, OLD)
    source = warehouse.source(EVENTS, [*OLD, (3, None, None), (3, None, None), (1, "b", None)])
    for _ in range(2):
        load(warehouse, events, Append(), source)
    assert warehouse.rows(events, "id", "kind") == [(1, "a"), (1, "b"), (2, None), (3, None)]


def test_rounding_by_the_table_does_not_make_rows_new(warehouse: Warehouse) -> None:
    events = warehouse.table("events", {"id": "int", "n": "decimal"})
    source = warehouse.source({"id": "int"}, [(1,)])
    rounded = type(source)(sql=f"select id, cast(1.005 as decimal(18, 2)) as n from ({source.sql})")
    for _ in range(2):
        load(warehouse, events, Append(), rounded)
    assert len(warehouse.rows(events)) == 1


def test_keys_that_are_there_are_left_alone(warehouse: Warehouse, events: Relation) -> None:
    source = warehouse.source(EVENTS, [(1, "other", None), (3, "c", None), (3, "c", None)])
    for _ in range(2):
        result = load(warehouse, events, Append(keys=("id",)), source)
    assert warehouse.rows(events, "id", "kind") == [(1, "a"), (2, None), (3, "c")]
    assert (result.staged, result.inserted) == (3, 0)


def test_nr_6_duplicate_keys_need_an_order(warehouse: Warehouse, events: Relation) -> None:
    source = warehouse.source(EVENTS, [(3, "c", 1), (3, "d", 2), (3, "d", 2)])
    with pytest.raises(RunError, match=r"id = 3 \(2 rows\)"):
        load(warehouse, events, Append(keys=("id",)), source)
    assert warehouse.rows(events) == OLD
    load(warehouse, events, Append(keys=("id",), order_by=("n",)), source)
    assert warehouse.rows(events, "id", "kind") == [(1, "a"), (2, None), (3, "d")]


def test_nr_7_null_keys(warehouse: Warehouse) -> None:
    events = warehouse.table("events", EVENTS, OLD)
    source = warehouse.source(EVENTS, [(3, None, None), (2, None, None), (4, "x", None)])
    with pytest.raises(RunError, match=r"2 of 3 staged rows have NULL in the key \(id, kind\)"):
        load(warehouse, events, Append(keys=("id", "kind")), source)
    for _ in range(2):
        load(warehouse, events, Append(keys=("id", "kind"), null_keys=NullKeys.MATCH), source)
    assert warehouse.rows(events, "id", "kind") == [(1, "a"), (2, None), (3, None), (4, "x")]


def test_nr_5_an_empty_batch_adds_nothing(warehouse: Warehouse, events: Relation) -> None:
    assert load(warehouse, events, Append(), warehouse.source(EVENTS)).staged == 0
    assert warehouse.rows(events) == OLD
