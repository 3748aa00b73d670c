"""New columns of the target where ALTER TABLE is no part of a transaction (conformance list 2)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Drift, Load
from airflow_dataops.errors import SupersededError
from tests.contract.loading import FIRST, ITEMS, MERGE, OLD, RETRY, Spy, items
from tests.warehouses import ENGINES, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.loads.sources import Query
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse

pytestmark = pytest.mark.slow
ADDED = [(1, "a", None), (2, "b", None), (3, "c", "red")]


@pytest.fixture(params=[n for n in ENGINES if not get_engine(n).loads.transactional_ddl])
def opened(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with open_warehouse(request.param) as warehouse:
        yield warehouse


def prepared(warehouse: Warehouse) -> tuple[Relation, Query, Load]:
    target = items(warehouse)
    source = warehouse.source(ITEMS | {"colour": "text"}, [(3, "c", "red")])
    return target, source, Load(target=target, verb=MERGE, attempt=FIRST, drift=Drift.ADD)


class Dying(Spy):
    """Ends in the transaction; `dead`: without a word to the warehouse after that."""

    dead = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            yield
            raise KeyboardInterrupt

    def _see(self, sql: str) -> None:
        super()._see(sql)
        if self.dead and "count(" in sql and "colour" in sql and "alter" in "".join(self.told):
            raise ConnectionError("the process is dead")


def test_nr_2_a_load_that_fails_takes_its_new_column_back(opened: Warehouse) -> None:
    target, source, load = prepared(opened)
    with pytest.raises(KeyboardInterrupt):
        run_load(load, source, Dying(opened.runner))
    assert opened.rows(target) == OLD
    run_load(load, source, opened.runner)
    assert opened.rows(target) == ADDED


def test_nr_2_the_column_of_a_killed_load_serves_its_retry(opened: Warehouse) -> None:
    target, source, load = prepared(opened)
    dying = Dying(opened.runner)
    dying.dead = True
    with pytest.raises(KeyboardInterrupt):
        run_load(load, source, dying)
    assert opened.rows(target) == [(1, "a", None), (2, "b", None)]
    retried = Load(target=target, verb=MERGE, attempt=RETRY, drift=Drift.REFUSE)
    run_load(retried, source, opened.runner)
    assert opened.rows(target) == ADDED


def test_nr_19_a_load_whose_place_is_taken_adds_no_column(opened: Warehouse) -> None:
    target, source, load = prepared(opened)

    def take() -> None:
        leases = opened.sql(opened.relation("dataops_leases"))
        opened.session().execute(f"update {leases} set token = token + 1 where true")

    late = Spy(opened.runner, "count(distinct", take)
    with pytest.raises(SupersededError):
        run_load(load, source, late)
    assert opened.rows(target) == OLD
