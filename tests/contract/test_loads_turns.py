"""Publishing where transactions lock tables: BigQuery (conformance list 17)."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Load
from airflow_dataops.errors import RetryableError
from tests.contract.loading import FIRST, ITEMS, MERGE, OLD, items
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouses import Warehouse


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse("bigquery") as opened:
        yield opened


def test_nr_17_a_load_waits_for_its_turn_to_publish(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    other, mine = warehouse.session(), warehouse.session()
    load = Load(target=target, verb=MERGE, attempt=FIRST, wait=timedelta(minutes=2))
    loading = threading.Thread(target=run_load, args=(load, source, mine))
    with caplog.at_level(logging.INFO), other.transaction():
        other.execute(f"update {warehouse.sql(target)} set name = 'z' where id = 1")
        loading.start()
        while "another transaction was in the way" not in caplog.text and loading.is_alive():
            loading.join(0.05)
        assert loading.is_alive()
    loading.join(120)
    assert warehouse.rows(target) == [(1, "z"), (2, "b"), (3, "c")]


@pytest.mark.slow
def test_nr_17_a_load_that_does_not_get_its_turn_can_be_tried_again(warehouse: Warehouse) -> None:
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    other = warehouse.session()
    load = Load(target=target, verb=MERGE, attempt=FIRST, wait=timedelta(0))
    with other.transaction():
        other.execute(f"update {warehouse.sql(target)} set name = 'b' where id = 2")
        with pytest.raises(RetryableError, match="other transactions wrote the same rows"):
            run_load(load, source, warehouse.runner)
    assert warehouse.rows(target) == OLD
    run_load(load, source, warehouse.runner)
    assert warehouse.rows(target) == [*OLD, (3, "c")]


def test_nr_17_loads_of_other_tables_have_other_control_tables(warehouse: Warehouse) -> None:
    """A publication that takes long keeps nobody else from beginning or publishing."""
    target, source = items(warehouse), warehouse.source(ITEMS, [(3, "c")])
    long = warehouse.table("long", ITEMS, OLD)
    for each in (target, long):
        run_load(Load(target=each, verb=MERGE, attempt=FIRST), source, warehouse.runner)
    other = warehouse.session()
    with other.transaction():
        other.execute(f"update `{warehouse.schema}`.dataops_leases__long set token = 9 where true")
        other.execute(f"update {warehouse.sql(long)} set name = 'z' where true")
        load = Load(target=target, verb=MERGE, attempt=FIRST, wait=timedelta(0))
        assert run_load(load, source, warehouse.runner).staged == 1
