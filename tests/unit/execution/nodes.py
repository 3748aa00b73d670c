"""Models for tests, with as little as they need."""

from __future__ import annotations

from typing import Any

from airflow_dataops.core.model import (
    Code,
    Incremental,
    ModelSpec,
    Node,
    NodeKind,
    Relation,
    SchemaChange,
    Spec,
)

RELATION = Relation(database="memory", schema="marts", identifier="orders")


def node(
    spec: Spec, *, relation: Relation | None = RELATION, kind: NodeKind = NodeKind.MODEL
) -> Node:
    """Return a node called `model.shop.orders`."""
    return Node(
        id="model.shop.orders",
        kind=kind,
        name="orders",
        package="shop",
        spec=spec,
        relation=relation,
    )


def model(materialized: str, *, relation: Relation | None = RELATION, **spec: Any) -> Node:
    """Return a model."""
    return node(ModelSpec(materialized=materialized, **spec), relation=relation)


def incremental(
    *,
    full_refresh: bool | None = None,
    change: SchemaChange = SchemaChange.IGNORE,
    relation: Relation = RELATION,
    **settings: Any,
) -> Node:
    """Return an incremental model."""
    how = Incremental(on_schema_change=change, **settings)
    return model("incremental", incremental=how, full_refresh=full_refresh, relation=relation)


def code(sql: str, incremental_sql: str | None = None) -> Code:
    """Return compiled code."""
    return Code(sql=sql, incremental_sql=incremental_sql)
