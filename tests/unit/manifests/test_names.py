"""Names of relations: plain text, as the warehouse stores them."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.model import Relation
from tests.unit.manifests.built import entry, only

HOSTILE = ['a"b', "a.b", "a b", "naïve ✓", "x; drop table y --", "'", "`", "{{ x }}", "a\nb"]


def relation(adapter: str, **fields: Any) -> Relation | None:
    nodes = {"model.shop.m": entry("model.shop.m", **fields)}
    return only(nodes, metadata={"adapter_type": adapter}).relation


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_taken_as_they_are(name: str) -> None:
    assert relation("duckdb", alias=name, schema=name, database=name) == Relation(
        identifier=name, schema=name, database=name
    )


def test_ids_names_and_texts_are_data() -> None:
    for name in HOSTILE:
        id_ = f"model.shop.{name}"
        node = only({id_: entry(id_, name=name, description=name, tags=[name])})
        assert (node.id, node.name, node.description, node.tags) == (id_, name, name, (name,))


def test_a_database_may_be_missing() -> None:
    assert relation("duckdb", database=None) == Relation(identifier="m", schema="main")


@pytest.mark.parametrize(
    ("adapter", "relation_name", "expected"),
    [
        ("snowflake", "Raw.Main.Orders", "RAW.MAIN.ORDERS"),
        ("snowflake", 'Raw.Main."Orders"', "RAW.MAIN.Orders"),
        ("snowflake", '"Raw"."Main"."Orders"', "Raw.Main.Orders"),
        ("snowflake", None, "RAW.MAIN.ORDERS"),
        ("postgres", '"Raw"."Main"."Orders"', "Raw.Main.Orders"),
        ("postgres", "Raw.Main.Orders", "raw.main.orders"),
        ("postgres", None, "Raw.Main.Orders"),
        ("bigquery", "`Raw`.`Main`.`Orders`", "Raw.Main.Orders"),
        ("duckdb", "Raw.Main.Orders", "Raw.Main.Orders"),
    ],
)
def test_names_without_quotes_are_folded_as_the_engine_does(
    adapter: str, relation_name: str | None, expected: str
) -> None:
    """Our statements quote, and must still meet what dbt's SQL calls by an unquoted name."""
    found = relation(
        adapter, alias="Orders", schema="Main", database="Raw", relation_name=relation_name
    )
    assert str(found) == expected
