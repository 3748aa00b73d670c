"""Leases and fences: conformance list 17 and 19."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.specs import (
    Attempt,
)
from airflow_dataops.errors import RetryableError, RunError, SupersededError
from tests.contract.loading import (
    FIRST,
    ITEMS,
    MERGE,
    OLD,
    OTHER,
    RETRY,
    Spy,
    begin,
    items,
    lease,
    load,
)

if TYPE_CHECKING:
    from tests.warehouses import Warehouse


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


def test_nr_17_another_partition_does_not_wait(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    other = warehouse.source(ITEMS, [(4, "d")])

    def meanwhile() -> None:
        begin(warehouse, target, other, OTHER, partition="2", wait=timedelta(0))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    begin(warehouse, target, source, FIRST, runner=spy, partition="1")
    assert warehouse.rows(target) == [*OLD, (3, "c"), (4, "d")]


@pytest.mark.parametrize(
    ("first", "second"), [("", '{"day":"1"}'), ('{"day":"1"}', ""), ('{"day":"1"}', '{"area":"1"}')]
)
def test_nr_17_loads_that_may_touch_the_same_rows_wait_for_each_other(
    warehouse: Warehouse, first: str, second: str
) -> None:
    """A load of the whole table and one of a partition; partitions by different columns."""
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    errors: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(RetryableError) as caught:
            begin(warehouse, target, source, OTHER, partition=second, wait=timedelta(seconds=0.2))
        errors.append(str(caught.value))

    spy = Spy(warehouse.runner, "count(*)", meanwhile)
    begin(warehouse, target, source, FIRST, runner=spy, partition=first)
    assert "shop.items in run monday (try 1) may load it for another" in errors[0]
    begin(warehouse, target, source, OTHER, partition=second, wait=timedelta(0))


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
