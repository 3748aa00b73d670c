"""LoadPartition, on every engine. Numbers are those of the conformance list."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.specs import LoadPartition, OnEmpty, Outside, Within
from airflow_dataops.errors import ConfigError, RunError
from tests.contract.loading import load

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

SALES = {"day": "date", "shop": "text", "amount": "int"}
FRI, SAT = date(2026, 1, 2), date(2026, 1, 3)
OLD = [(FRI, "a", 1), (FRI, "b", 2), (SAT, "a", 3), (None, "a", 4)]
KEPT = [(FRI, "a", 1), (FRI, "b", 2), (None, "a", 4)]


@pytest.fixture
def sales(warehouse: Warehouse) -> Relation:
    return warehouse.table("sales", SALES, OLD)


def test_the_partition_is_replaced_and_no_other_row(warehouse: Warehouse, sales: Relation) -> None:
    source = warehouse.source(SALES, [(SAT, "c", 5), (SAT, "c", 5)])
    for _ in range(2):
        result = load(warehouse, sales, LoadPartition(values={"day": SAT}), source)
    assert warehouse.rows(sales) == [*sorted(KEPT[:2]), (SAT, "c", 5), (SAT, "c", 5), KEPT[2]]
    assert (result.staged, result.inserted, result.deleted) == (2, 2, 2)
    assert result.partitions == ("day=2026-01-03",)


def test_nr_4_rows_outside_of_the_partition_are_refused(
    warehouse: Warehouse, sales: Relation
) -> None:
    source = warehouse.source(SALES, [(SAT, "c", 5), (FRI, "c", 6), (None, "c", 7)])
    with pytest.raises(RunError, match=r"2 of 3 staged rows are not of the partition \(by day\)"):
        load(warehouse, sales, LoadPartition(values={"day": SAT}), source)
    assert warehouse.rows(sales) == OLD


def test_nr_4_rows_outside_of_the_partition_are_dropped_on_request(
    warehouse: Warehouse, sales: Relation
) -> None:
    source = warehouse.source(SALES, [(SAT, "c", 5), (FRI, "c", 6), (None, "c", 7)])
    verb = LoadPartition(values={"day": SAT}, outside=Outside.DROP)
    for _ in range(2):
        load(warehouse, sales, verb, source)
    assert warehouse.rows(sales) == [*KEPT[:2], (SAT, "c", 5), KEPT[2]]


def test_nr_5_an_empty_batch_clears_the_partition(warehouse: Warehouse, sales: Relation) -> None:
    load(warehouse, sales, LoadPartition(values={"day": SAT}), warehouse.source(SALES))
    assert warehouse.rows(sales) == KEPT


@pytest.mark.parametrize("on_empty", [OnEmpty.KEEP, OnEmpty.FAIL])
def test_nr_5_an_empty_batch_keeps_the_partition_on_request(
    warehouse: Warehouse, sales: Relation, on_empty: OnEmpty
) -> None:
    verb = LoadPartition(values={"day": SAT}, on_empty=on_empty)
    if on_empty is OnEmpty.KEEP:
        load(warehouse, sales, verb, warehouse.source(SALES))
    else:
        with pytest.raises(RunError, match="the source has no rows"):
            load(warehouse, sales, verb, warehouse.source(SALES))
    assert warehouse.rows(sales) == OLD


def test_nr_9_the_null_partition_is_one_like_any(warehouse: Warehouse, sales: Relation) -> None:
    source = warehouse.source(SALES, [(None, "c", 5)])
    for _ in range(2):
        load(warehouse, sales, LoadPartition(values={"day": None}), source)
    assert warehouse.rows(sales) == [*OLD[:3], (None, "c", 5)]


def test_a_partition_of_several_columns(warehouse: Warehouse, sales: Relation) -> None:
    source = warehouse.source(SALES, [(FRI, "b", 9)])
    load(warehouse, sales, LoadPartition(values={"day": FRI, "shop": "b"}), source)
    assert warehouse.rows(sales) == [(FRI, "a", 1), (FRI, "b", 9), *OLD[2:]]


def test_a_range_is_half_open(warehouse: Warehouse, sales: Relation) -> None:
    source = warehouse.source(SALES, [(FRI, "z", 9)])
    load(warehouse, sales, LoadPartition(within=Within(column="day", start=FRI, end=SAT)), source)
    assert warehouse.rows(sales) == [(FRI, "z", 9), *OLD[2:]]


@pytest.mark.parametrize(
    "value", ["2026-01-03", "2026-01-03T00:00:00+00:00", datetime(2026, 1, 3, tzinfo=UTC)]
)
def test_nr_13_texts_and_times_mean_the_same_day(
    warehouse: Warehouse, sales: Relation, value: str | datetime
) -> None:
    source = warehouse.source(SALES, [(SAT, "c", 5)])
    load(warehouse, sales, LoadPartition(values={"day": value}), source)
    assert warehouse.rows(sales) == [*KEPT[:2], (SAT, "c", 5), KEPT[2]]


def test_nr_13_a_time_is_no_day(warehouse: Warehouse, sales: Relation) -> None:
    verb = LoadPartition(values={"day": "2026-01-03T12:00:00"})
    with pytest.raises(ConfigError, match="not at midnight"):
        load(warehouse, sales, verb, warehouse.source(SALES))
    assert warehouse.rows(sales) == OLD


def test_nr_13_deleted_and_inserted_rows_are_told_by_one_conversion(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """An aware range on naive times, at the edges: nothing doubled, nothing lost, and said."""
    columns = {"at": "time", "n": "int"}
    edge, last = datetime(2026, 1, 2), datetime(2026, 1, 2, 23, 59, 59, 999999)
    before, after = datetime(2026, 1, 1, 23, 59, 59), datetime(2026, 1, 3)
    old = [(before, 1), (edge, 2), (last, 3), (after, 4)]
    target = warehouse.table("t", columns, old)
    source = warehouse.source(columns, [(edge, 5), (last, 6)])
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            verb = LoadPartition(within=Within(column="at", start=start, end=end))
            load(warehouse, target, verb, source)
    assert warehouse.rows(target) == [(before, 1), (edge, 5), (last, 6), (after, 4)]
    assert "converted to UTC" in caplog.text


def test_a_partition_without_columns_is_refused(warehouse: Warehouse, sales: Relation) -> None:
    with pytest.raises(ConfigError, match="use Replace"):
        load(warehouse, sales, LoadPartition(), warehouse.source(SALES))
