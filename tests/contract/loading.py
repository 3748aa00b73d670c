"""What the tests of loads share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Placement, Query
from airflow_dataops.core.loads.specs import (
    Attempt,
    Load,
    Merge,
)
from tests.contract.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import LoadResult, Verb
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

ITEMS = {"id": "int", "name": "text"}
OLD = [(1, "a"), (2, "b")]
MERGE = Merge(keys=("id",))
FIRST = Attempt(owner="shop.items", run_id="monday", try_number=1)
RETRY = Attempt(owner="shop.items", run_id="monday", try_number=2)
OTHER = Attempt(owner="shop.other", run_id="monday", try_number=1)
EVERY_VERB = pytest.mark.parametrize("scenario", sorted(SCENARIOS))


def load(
    warehouse: Warehouse, target: Relation, verb: Verb, source: Source, **settings: Any
) -> LoadResult:
    """Run a load as its first try."""
    attempt = settings.pop("attempt", None) or Attempt(owner="shop.orders", run_id="monday")
    return run_load(
        Load(target=target, verb=verb, attempt=attempt, **settings), source, warehouse.runner
    )


class Spy:
    """Passes statements on, remembers them, and does something before those that match."""

    def __init__(
        self, runner: SqlRunner, at: str = "\n", then: Callable[[], object] = lambda: None
    ) -> None:
        self._runner = runner
        self._at = at
        self._then = then
        self.told: list[str] = []
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._see(sql)
        return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._see(sql)
        return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            self._see("BEGIN")
            yield
        self.told.append("COMMIT")

    def _see(self, sql: str) -> None:
        self.told.append(sql)
        if self._at in sql:
            self._at = "\n\n\n"  # once
            self._then()


def run(warehouse: Warehouse, runner: SqlRunner, scenario: str, attempt: Attempt = FIRST) -> None:
    SCENARIOS[scenario].run(runner, warehouse.schema, attempt)


def items(warehouse: Warehouse, columns: dict[str, str] | None = None) -> Relation:
    columns = columns or ITEMS
    rows = [(*row, *[None] * (len(columns) - 2)) for row in OLD]
    return warehouse.table("items", columns, rows)


def begin(
    warehouse: Warehouse,
    target: Relation,
    source: Query,
    attempt: Attempt,
    *,
    runner: SqlRunner | None = None,
    **settings: Any,
) -> None:
    wanted = Load(target=target, verb=MERGE, attempt=attempt, **settings)
    run_load(wanted, source, runner or warehouse.session())


class Chunks:
    """A source that comes in pieces, and may break."""

    placement = Placement.SHARED

    def __init__(self, rows: Sequence[tuple[Any, ...]], breaks_after: int | None = None) -> None:
        self._rows = rows
        self._breaks_after = breaks_after

    def since(self, since: object) -> Chunks:
        return self

    def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
        from airflow_dataops.core.engines.relations import render

        name = render(staging, runner.dialect)
        runner.execute(f"create table {name} (id integer, name varchar)")
        for number, row in enumerate(self._rows):
            if number == self._breaks_after:
                raise ConnectionError("the network is down")
            mark = runner.placeholder
            runner.execute(f"insert into {name} values ({mark}, {mark})", row)
        return len(self._rows)


def lease(warehouse: Warehouse) -> tuple[Any, ...]:
    [row] = warehouse.runner.fetch(
        "select token, owner, try_number, expires_epoch"
        f" from {warehouse.sql(warehouse.relation('dataops_leases'))}"
    )
    return row
