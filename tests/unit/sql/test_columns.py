"""How the columns of a query and of its table differ, and what is done about it."""

from __future__ import annotations

from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import columns
from airflow_dataops.core.sql.catalog import Column

ORDERS = Relation(schema="marts", identifier="orders")
ID, NAME = Column(name="id", type="INTEGER"), Column(name="name", type="VARCHAR")
WIDE_ID, UPPER_NAME = Column(name="id", type="BIGINT"), Column(name="NAME", type="VARCHAR")


def test_equal_columns_do_not_differ_whatever_their_order() -> None:
    assert not columns.compare([ID, NAME], [NAME, ID], "duckdb")


def test_added_removed_and_retyped_columns_are_found() -> None:
    diff = columns.compare([WIDE_ID, UPPER_NAME], [ID, NAME], "duckdb")
    assert diff == columns.SchemaDiff(added=(UPPER_NAME,), removed=(NAME,), retyped=(WIDE_ID,))
    assert diff


def test_columns_come_and_go_one_statement_each() -> None:
    assert columns.add_column(ORDERS, ID, "duckdb") == (
        'alter table "marts"."orders" add column "id" INTEGER'
    )
    assert columns.drop_column(ORDERS, "id", "duckdb") == (
        'alter table "marts"."orders" drop column "id"'
    )


def test_a_new_type_goes_by_way_of_a_new_column() -> None:
    assert columns.change_type(ORDERS, WIDE_ID, "duckdb") == (
        'alter table "marts"."orders" add column "id__dbt_alter" BIGINT',
        'update "marts"."orders" set "id__dbt_alter" = "id"',
        'alter table "marts"."orders" drop column "id"',
        'alter table "marts"."orders" rename column "id__dbt_alter" to "id"',
    )
