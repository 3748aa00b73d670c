"""Merge, on every engine. Numbers are those of the conformance list (see `test_loads.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.specs import Compare, Drift, Merge, NullKeys, OnEmpty
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

ORDERS = {"id": "int", "amount": "int", "note": "text"}
OLD = [(1, 10, "a"), (2, 20, "b")]


@pytest.fixture(params=["with a primary key", "without"])
def orders(request: pytest.FixtureRequest, warehouse: Warehouse) -> Relation:
    key = ("id",) if request.param == "with a primary key" else ()
    return warehouse.table("orders", ORDERS, OLD, key=key)


def test_rows_that_are_there_are_updated_and_others_added(
    warehouse: Warehouse, orders: Relation
) -> None:
    source = warehouse.source(ORDERS, [(2, 21, "B"), (3, 30, None)])
    result = load(warehouse, orders, Merge(keys=("id",)), source)
    assert warehouse.rows(orders) == [(1, 10, "a"), (2, 21, "B"), (3, 30, None)]
    assert result.staged == 2
    assert (result.written or (result.inserted or 0) + (result.updated or 0)) == 2


def test_running_twice_changes_nothing(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(ORDERS, [(2, 21, "B"), (3, 30, None)])
    for _ in range(2):
        load(warehouse, orders, Merge(keys=("id",)), source)
    assert warehouse.rows(orders) == [(1, 10, "a"), (2, 21, "B"), (3, 30, None)]


def test_nr_6_duplicate_keys_without_an_order_are_refused_by_name(
    warehouse: Warehouse, orders: Relation
) -> None:
    source = warehouse.source(ORDERS, [(7, 1, "x"), (7, 2, "y")])
    with pytest.raises(RunError, match=r"id = 7 \(2 rows\).*order_by"):
        load(warehouse, orders, Merge(keys=("id",)), source)
    assert warehouse.rows(orders) == OLD


def test_nr_6_the_last_of_duplicate_keys_wins(warehouse: Warehouse, orders: Relation) -> None:
    columns = ORDERS | {"at": "time"}
    first, last = datetime(2026, 1, 1), datetime(2026, 1, 2)
    rows = [(7, 2, "last", last), (7, 1, "first", first), (7, 0, "no time", None)]
    verb = Merge(keys=("id",), order_by=("at",))
    load(warehouse, orders, verb, warehouse.source(columns, rows), drift=Drift.IGNORE)
    assert warehouse.rows(orders) == [*OLD, (7, 2, "last")]


def test_nr_6_different_rows_with_the_same_key_and_order_are_refused(
    warehouse: Warehouse, orders: Relation
) -> None:
    source = warehouse.source(ORDERS, [(7, 1, "x"), (7, 1, "y"), (7, 0, "z")])
    with pytest.raises(RunError, match=r"same amount: id = 7 \(2 rows\)"):
        load(warehouse, orders, Merge(keys=("id",), order_by=("amount",)), source)
    assert warehouse.rows(orders) == OLD


def test_nr_6_equal_rows_delivered_twice_are_one(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(ORDERS, [(7, 1, "x"), (7, 1, "x")])
    load(warehouse, orders, Merge(keys=("id",), order_by=("amount",)), source)
    assert warehouse.rows(orders) == [*OLD, (7, 1, "x")]


def test_nr_7_null_keys_are_refused(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(ORDERS, [(None, 1, "x"), (3, 30, "c")])
    with pytest.raises(RunError, match=r"1 of 2 staged rows have NULL in the key \(id\)"):
        load(warehouse, orders, Merge(keys=("id",)), source)
    assert warehouse.rows(orders) == OLD


def test_nr_7_null_keys_that_match_are_not_added_again(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"a": "int", "b": "int", "n": "int"}, [(1, None, 0)])
    source = warehouse.source(
        {"a": "int", "b": "int", "n": "int"}, [(1, None, 1), (None, 1, 2), (None, None, 3)]
    )
    for _ in range(3):
        load(warehouse, target, Merge(keys=("a", "b"), null_keys=NullKeys.MATCH), source)
    assert warehouse.rows(target) == [(1, None, 1), (None, 1, 2), (None, None, 3)]


def test_nr_8_composite_keys_do_not_run_together(warehouse: Warehouse) -> None:
    columns = {"a": "text", "b": "text", "n": "int"}
    target = warehouse.table("t", columns, [("a", None, 1), (None, "a", 2)])
    source = warehouse.source(columns, [("a", None, 3), ("ab", "c", 4), ("a", "bc", 5)])
    load(warehouse, target, Merge(keys=("a", "b"), null_keys=NullKeys.MATCH), source)
    assert warehouse.rows(target) == [
        ("a", "bc", 5), ("a", None, 3), ("ab", "c", 4), (None, "a", 2),
    ]  # fmt: skip


def test_a_delete_flag_deletes(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(
        ORDERS | {"gone": "bool"},
        [(1, 0, None, True), (2, 21, "B", False), (3, 30, "c", None), (9, 0, None, True)],
    )
    load(warehouse, orders, Merge(keys=("id",), delete_flag="gone"), source)
    assert warehouse.rows(orders) == [(2, 21, "B"), (3, 30, "c")]


def test_some_columns_are_updated_and_the_rest_kept(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(ORDERS, [(2, 21, "B"), (3, 30, "c")])
    load(warehouse, orders, Merge(keys=("id",), update_columns=("amount",)), source)
    assert warehouse.rows(orders) == [(1, 10, "a"), (2, 21, "b"), (3, 30, "c")]


def test_columns_that_the_source_lacks_keep_their_values(
    warehouse: Warehouse, orders: Relation
) -> None:
    source = warehouse.source({"id": "int", "amount": "int"}, [(2, 21), (3, 30)])
    load(warehouse, orders, Merge(keys=("id",)), source)
    assert warehouse.rows(orders) == [(1, 10, "a"), (2, 21, "b"), (3, 30, None)]


def test_equal_rows_are_left_alone(warehouse: Warehouse, orders: Relation) -> None:
    source = warehouse.source(ORDERS, [(1, 10, "a"), (2, 21, "b"), (3, 30, None)])
    merge = Merge(keys=("id",), compare=Compare.CHANGED)
    result = load(warehouse, orders, merge, source)
    assert (result.written or (result.inserted or 0) + (result.updated or 0)) == 2
    assert warehouse.rows(orders) == [(1, 10, "a"), (2, 21, "b"), (3, 30, None)]


def test_nr_5_an_empty_batch_keeps_the_table(warehouse: Warehouse, orders: Relation) -> None:
    result = load(warehouse, orders, Merge(keys=("id",)), warehouse.source(ORDERS))
    assert (result.staged, warehouse.rows(orders)) == (0, OLD)


def test_an_empty_batch_fails_on_request(warehouse: Warehouse, orders: Relation) -> None:
    verb = Merge(keys=("id",), on_empty=OnEmpty.FAIL)
    with pytest.raises(RunError, match="the source has no rows"):
        load(warehouse, orders, verb, warehouse.source(ORDERS))


def test_keys_are_named() -> None:
    with pytest.raises(ConfigError, match=r"keys=\(\): name at least one"):
        Merge(keys=())


@pytest.mark.parametrize(
    ("verb", "error", "message"),
    [
        (Merge(keys=("nr",)), RunError, "no column 'nr', which keys names.*id, amount, note"),
        (Merge(keys=("id",), order_by=("at",)), RunError, "no column 'at', which order_by"),
        (Merge(keys=("id",), delete_flag="gone"), RunError, "'gone', which delete_flag names"),
        (Merge(keys=("id",), update_columns=("id",)), ConfigError, "update_columns names a key"),
    ],
    ids=["missing key", "missing order", "missing flag", "key updated"],
)
def test_wrong_settings_are_named(
    warehouse: Warehouse, verb: Merge, error: type[Exception], message: str
) -> None:
    target = warehouse.table("orders", ORDERS, OLD)
    with pytest.raises(error, match=message):
        load(warehouse, target, verb, warehouse.source(ORDERS, [(2, 21, "B")]))
    assert warehouse.rows(target) == OLD
