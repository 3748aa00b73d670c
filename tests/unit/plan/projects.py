"""Small projects written by hand: one line a node."""

from __future__ import annotations

from typing import Any

from airflow_dataops.core.model import (
    FreshnessSpec,
    ModelSpec,
    Node,
    NodeKind,
    Orchestration,
    Project,
    Relation,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    TestSpec,
)


def model(name: str, *parents: str, package: str = "shop", **fields: Any) -> Node:
    spec = fields.pop("spec", ModelSpec(materialized=fields.pop("materialized", "table")))
    defaults = {
        "id": f"model.{package}.{name}",
        "fqn": (package, fields.pop("folder", "models"), name),
        "relation": Relation(database="wh", schema="main", identifier=name),
        "path": f"models/{name}.sql",
    }
    return Node(
        kind=NodeKind.MODEL,
        name=name,
        package=package,
        parents=parents,
        spec=spec,
        **(defaults | fields),
    )


def seed(name: str) -> Node:
    return Node(
        id=f"seed.shop.{name}",
        kind=NodeKind.SEED,
        name=name,
        package="shop",
        spec=SeedSpec(file=f"seeds/{name}.csv"),
        relation=Relation(schema="main", identifier=name),
    )


def snapshot(name: str, *parents: str) -> Node:
    return Node(
        id=f"snapshot.shop.{name}",
        kind=NodeKind.SNAPSHOT,
        name=name,
        package="shop",
        parents=parents,
        spec=SnapshotSpec(strategy="check", unique_key=("id",), check_cols=("all",)),
        relation=Relation(schema="main", identifier=name),
    )


def data_test(name: str, *parents: str, **spec: Any) -> Node:
    return Node(
        id=f"test.shop.{name}",
        kind=NodeKind.TEST,
        name=name,
        package="shop",
        parents=parents,
        spec=TestSpec(**spec),
    )


def source(table: str, *, fresh: bool = False) -> Node:
    freshness = FreshnessSpec(error_after_minutes=60, loaded_at_field="at") if fresh else None
    return Node(
        id=f"source.shop.raw.{table}",
        kind=NodeKind.SOURCE,
        name=table,
        package="shop",
        spec=SourceSpec(source="raw", freshness=freshness),
        relation=Relation(schema="raw", identifier=table),
    )


def project(*nodes: Node) -> Project:
    return Project(name="shop", nodes={node.id: node for node in nodes})


def asking(**wishes: Any) -> Orchestration:
    return Orchestration(**wishes)
