"""What the warehouse holds, asked of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.catalog import Column
from tests.duckdb_runner import DuckDBRunner, open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with open_duckdb() as runner:
        runner.execute("create schema marts")
        runner.execute('create table marts.orders(id int, "unit price" decimal(18, 3))')
        runner.execute("create view marts.recent as from marts.orders")
        runner.execute("create temporary table orders(other text)")
        yield runner


def orders(**parts: str | None) -> Relation:
    return Relation(**{"database": "memory", "schema": "marts", "identifier": "orders"} | parts)


def test_tables_and_views_are_told_apart(runner: DuckDBRunner) -> None:
    assert catalog.relation_kind(runner, orders()) is RelationKind.TABLE
    assert catalog.relation_kind(runner, orders(identifier="recent")) is RelationKind.VIEW
    assert catalog.relation_kind(runner, orders(identifier="late")) is None
    assert catalog.relation_kind(runner, orders(schema="main")) is None


def test_names_are_found_in_any_case_and_without_a_database(runner: DuckDBRunner) -> None:
    assert catalog.relation_kind(runner, orders(identifier="ORDERS")) is RelationKind.TABLE
    assert catalog.relation_kind(runner, orders(database=None)) is RelationKind.TABLE


def test_columns_come_in_order_with_their_full_type(runner: DuckDBRunner) -> None:
    assert catalog.columns_of(runner, orders()) == (
        Column(name="id", type="INTEGER"),
        Column(name="unit price", type="DECIMAL(18,3)"),
    )


def test_a_temporary_table_does_not_hide_a_real_one(runner: DuckDBRunner) -> None:
    temporary = orders(database="temp", schema="main")

    assert catalog.columns_of(runner, temporary) == (Column(name="other", type="VARCHAR"),)
    assert len(catalog.columns_of(runner, orders())) == 2


def test_a_name_with_sql_in_it_finds_nothing(runner: DuckDBRunner) -> None:
    assert catalog.relation_kind(runner, orders(identifier="' or 1=1 --")) is None


def test_schemas_and_databases_are_known_or_not(runner: DuckDBRunner) -> None:
    assert catalog.schema_exists(runner, orders())
    assert not catalog.schema_exists(runner, orders(schema="absent"))
    assert catalog.database_exists(runner, "Memory")
    assert not catalog.database_exists(runner, "absent")
    assert catalog.current_database(runner) == "memory"
