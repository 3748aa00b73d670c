"""Which of a key's rows is the last is the same however an increment's source is cut into loads."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.choices import TextOrder
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import Drift, Increment
from airflow_dataops.errors import RunError
from tests.contract.loading import load
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from tests.warehouses import Warehouse

COLUMNS = {"id": "int", "at": "int", "nr": "int", "note": "text"}
VERB = Increment(cursor="at", keys=("id",), order_by=("nr",))
TABLES = [("duckdb", 4), ("postgres", 4)]
TABLES += [pytest.param(engine, 24, marks=pytest.mark.slow) for engine in ("duckdb", "postgres")]


def test_a_row_that_is_read_again_does_not_take_a_later_ones_place(warehouse: Warehouse) -> None:
    """The row at the watermark is the first one by `order_by`."""
    target = warehouse.table("t", COLUMNS)
    source = warehouse.source(COLUMNS, [(1, 10, 5, "old"), (1, 9, 9, "new"), (2, 10, None, "x")])
    for _ in range(3):
        load(warehouse, target, VERB, source)
    assert warehouse.rows(target) == [(1, 9, 9, "new"), (2, 10, None, "x")]


def test_of_rows_that_are_alike_the_one_with_the_greatest_cursor_is_the_last(
    warehouse: Warehouse,
) -> None:
    at_once, cut = warehouse.table("t", COLUMNS), warehouse.table("u", COLUMNS)
    rows = [(1, 9, 5, "old"), (2, 10, 1, "x"), (1, 11, 5, "new")]
    load(warehouse, at_once, VERB, warehouse.source(COLUMNS, rows))
    origin = warehouse.table("origin", COLUMNS)
    for row in rows:
        warehouse.add(origin, tuple(COLUMNS), [row])
        load(warehouse, cut, VERB, Query(sql=f"select * from {warehouse.sql(origin)}"))
    assert warehouse.rows(at_once) == warehouse.rows(cut) == [(1, 11, 5, "new"), (2, 10, 1, "x")]


def test_a_key_of_several_scopes_keeps_its_last_row(warehouse: Warehouse) -> None:
    """One scope's row is at its watermark, and is read again without the other's."""
    columns = {"id": "int", "at": "int", "land": "text"}
    target = warehouse.table("t", columns)
    source = warehouse.source(columns, [(1, 10, "a"), (2, 12, "a"), (1, 5, "b")])
    for _ in range(3):
        load(warehouse, target, Increment(cursor="at", keys=("id",), per=("land",)), source)
    assert warehouse.rows(target) == [(1, 10, "a"), (2, 12, "a")]


def test_scopes_that_have_no_plain_value_are_refused() -> None:
    """As a text an array would not be found again, and the next load fail."""
    with open_warehouse("postgres") as warehouse:
        columns = {"at": "int", "tags": "int[]"}
        target = warehouse.table("t", columns)
        source = warehouse.source(columns, [(1, [1, 2])])
        with pytest.raises(RunError, match=r"`per` names holds \[1, 2\].*cast it to a text"):
            load(warehouse, target, Increment(cursor="at", per=("tags",)), source)
        assert warehouse.rows(target) == []


def test_an_order_that_the_table_does_not_keep_is_refused(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "at": "int"})
    source = warehouse.source(COLUMNS, [(1, 10, 5, "a")])
    with pytest.raises(RunError, match="order_by names nr, which the table has not"):
        load(warehouse, target, VERB, source, drift=Drift.IGNORE)
    load(
        *(warehouse, target, Increment(cursor="at", keys=("id",), order_by=("at", "nr")), source),
        drift=Drift.IGNORE,
    )
    assert warehouse.rows(target) == [(1, 10)], "the cursor decides, which is read again as a whole"


def test_texts_of_the_table_are_no_order(warehouse: Warehouse) -> None:
    columns = {"id": "int", "at": "int", "nr": "text"}
    target = warehouse.table("t", columns, [(1, 1, "9"), (2, 1, "x")])
    source = warehouse.source(columns, [(1, 10, "10"), (2, 10, "7")])
    with pytest.raises(RunError, match="order_by is an order, and nr is"):
        load(warehouse, target, VERB, source)
    numbers = Increment(cursor="at", keys=("id",), order_by=("nr",), text_order=TextOrder.NUMBER)
    load(warehouse, target, numbers, source)
    load(warehouse, target, numbers, warehouse.source(columns, [(1, 11, "9")]))
    assert warehouse.rows(target) == [(1, 10, "10"), (2, 10, "7")]


@pytest.mark.parametrize(("engine", "tables"), TABLES)
def test_any_cut_gives_the_last_row_of_each_key(engine: str, tables: int) -> None:
    """The model: the greatest `order_by`, NULL the least, then the greatest cursor."""
    chance = random.Random(3)
    with open_warehouse(engine) as warehouse:
        for number in range(tables):
            origin = warehouse.table(f"origin_{number}", COLUMNS)
            target = warehouse.table(f"target_{number}", COLUMNS)
            source = Query(sql=f"select * from {warehouse.sql(origin)}")
            given, at = [], 0
            for _ in range(4):
                for _ in range(chance.randint(0, 3)):
                    at += chance.randint(1, 2)
                    nr = chance.choice([None, 1, 2, 3])
                    given.append((chance.randint(1, 3), at, nr, f"{at}"))
                    warehouse.add(origin, tuple(COLUMNS), given[-1:])
                verb = Increment(
                    cursor="at", keys=("id",), order_by=("nr",), lag=chance.randint(0, 4)
                )
                for _ in range(chance.randint(1, 2)):
                    load(warehouse, target, verb, source)
            last = {row[0]: row for row in sorted(given, key=lambda row: (row[2] or 0, row[1]))}
            assert warehouse.rows(target) == sorted(last.values(), key=lambda row: row[0])
