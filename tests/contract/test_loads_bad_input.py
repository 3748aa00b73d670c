"""What cannot be loaded: a clear error, the table as it was, the staging gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import (
    Append,
    History,
    Increment,
    Replace,
)
from airflow_dataops.core.sql.statements import MARK
from airflow_dataops.errors import ConfigError, RetryableError, RunError
from tests.contract.loading import (
    ITEMS,
    MERGE,
    OLD,
    RETRY,
    Chunks,
    Spy,
    items,
    lease,
    load,
    run,
)
from tests.contract.scenarios import SCENARIOS
from tests.postgres import PostgresRunner
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse


def test_a_missing_table_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(RunError, match=r"\.nowhere does not exist; create it"):
        load(warehouse, warehouse.relation("nowhere"), MERGE, warehouse.source(ITEMS))
    assert "dataops_leases" not in warehouse.tables()


def test_a_view_is_no_target(warehouse: Warehouse) -> None:
    target = warehouse.table("t", ITEMS)
    view = warehouse.relation("v")
    warehouse.runner.execute(
        f"create view {warehouse.sql(view)} as select * from {warehouse.sql(target)}"
    )
    with pytest.raises(RunError, match="is a view"):
        load(warehouse, view, MERGE, warehouse.source(ITEMS))


def test_a_query_that_fails_leaves_everything_as_it_was(warehouse: Warehouse) -> None:
    target = items(warehouse)
    with pytest.raises(Exception, match="no_such_table"):
        load(warehouse, target, MERGE, Query(sql="select * from no_such_table"))
    assert (warehouse.rows(target), lease(warehouse)[3]) == (OLD, 0)


def test_a_source_that_makes_no_table_is_named(warehouse: Warehouse) -> None:
    class Nothing(Chunks):
        def stage(self, runner: SqlRunner, staging: Relation) -> int | None:
            return 0

    with pytest.raises(RunError, match="the source made no table"):
        load(warehouse, items(warehouse), MERGE, Nothing([]))


def test_source_columns_that_differ_by_case_alone_are_refused() -> None:
    with open_warehouse("postgres") as warehouse:
        target = items(warehouse)
        source = Query(sql="select 1 as id, 2 as \"ID\", 'c' as name")
        with pytest.raises(RunError, match="differ by case alone"):
            load(warehouse, target, MERGE, source)


@pytest.mark.parametrize("scenario", ["partition", "merge", "replace", "history", "changes"])
@pytest.mark.parametrize("at", ["create temporary table", "count(*)", "BEGIN", "insert into"])
def test_a_postgres_session_that_dies_in_the_middle(scenario: str, at: str) -> None:
    """The error says to run again; a retry on a new session ends right."""
    with open_warehouse("postgres") as warehouse:
        SCENARIOS[scenario].set_up(warehouse)
        before = warehouse.rows(warehouse.relation("target"))
        doomed = PostgresRunner()
        [(pid,)] = doomed.fetch("select pg_backend_pid()")

        def terminate() -> None:
            warehouse.runner.fetch(f"select pg_terminate_backend({pid}, 5000)")

        with pytest.raises(RetryableError, match="the session with the warehouse ended") as caught:
            run(warehouse, Spy(doomed, at, terminate), scenario)
        assert isinstance(caught.value.__cause__, psycopg.OperationalError)
        assert warehouse.rows(warehouse.relation("target")) == before
        assert not any("__stg_" in name for name in warehouse.tables())
        run(warehouse, warehouse.runner, scenario, RETRY)
        assert warehouse.rows(warehouse.relation("target")) != before


def test_the_mark_of_values_cannot_be_in_a_name() -> None:
    from airflow_dataops.core.sql.identifiers import quote

    with pytest.raises(ConfigError):
        quote(f"a{MARK}b", "duckdb")


@pytest.mark.parametrize(
    "verb",
    [History(keys=("id",), effective_at="at"), Increment(cursor="at"), Replace(), Append()],
    ids=["history", "increment", "replace", "append"],
)
def test_missing_columns_are_named_by_every_verb(warehouse: Warehouse, verb: Any) -> None:
    target = items(warehouse)
    with pytest.raises(RunError, match=r"'valid_from'|'at'|'size'|size "):
        load(warehouse, target, verb, warehouse.source({"id": "int", "size": "int"}, [(1, 2)]))
    assert warehouse.rows(target) == OLD
