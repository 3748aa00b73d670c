"""The text of the statements that make, replace and remove relations."""

from __future__ import annotations

import pytest

from airflow_dataops.core.engines import relations
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import sessions

ORDERS = Relation(database="shop", schema="marts", identifier="orders")
QUERY = "select 1 as id -- the end"


def test_only_the_parts_that_are_known_are_rendered() -> None:
    assert relations.render(ORDERS, "duckdb") == '"shop"."marts"."orders"'
    assert relations.render(Relation(identifier="orders"), "duckdb") == '"orders"'


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            relations.create_table_as(ORDERS, QUERY, "duckdb"),
            f'create table "shop"."marts"."orders" as (\n{QUERY}\n)',
        ),
        (
            relations.replace_table_as(ORDERS, QUERY, "duckdb"),
            f'create or replace table "shop"."marts"."orders" as (\n{QUERY}\n)',
        ),
        (
            relations.replace_view_as(ORDERS, QUERY, "duckdb"),
            f'create or replace view "shop"."marts"."orders" as (\n{QUERY}\n)',
        ),
        (
            relations.create_schema(ORDERS, "duckdb"),
            'create schema if not exists "shop"."marts"',
        ),
        (
            relations.drop(ORDERS, RelationKind.VIEW, "duckdb"),
            'drop view if exists "shop"."marts"."orders"',
        ),
        (
            relations.rename(ORDERS, "old", RelationKind.TABLE, "duckdb"),
            'alter table "shop"."marts"."orders" rename to "old"',
        ),
        (
            sessions.attach("/data/it's.duckdb", "shop", read_only=True),
            "attach '/data/it''s.duckdb' as \"shop\" (read_only)",
        ),
        (sessions.use("my shop"), 'use "my shop"'),
    ],
)
def test_the_text_of_a_statement(statement: str, text: str) -> None:
    assert statement == text
