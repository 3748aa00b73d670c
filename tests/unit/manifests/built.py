"""Small manifests for tests, built by hand in dbt's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.errors import ManifestError, Problem

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest, Node

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/{}.json"


def entry(id_: str, **fields: Any) -> dict[str, Any]:
    """Return an entry of `nodes` with what dbt always writes."""
    kind, package, name = (*id_.split(".", 2), "", "")[:3]
    written = {
        "name": name,
        "resource_type": kind,
        "package_name": package,
        "original_file_path": f"{kind}s/{name}.sql",
        "database": "db",
        "schema": "main",
        "alias": name,
        "fqn": [package, name],
        "language": "sql",
        "raw_code": "select 1 as id",
        "compiled_code": "select 1 as id",
        "config": {"enabled": True},
        "depends_on": {"nodes": [], "macros": []},
    }
    return written | fields


def model(name: str = "m", **config: Any) -> dict[str, dict[str, Any]]:
    """Return `nodes` of one model with a configuration."""
    id_ = f"model.shop.{name}"
    return {id_: entry(id_, config={"enabled": True, "materialized": "table"} | config)}


def macro(id_: str, sql: str = "", *calls: str) -> dict[str, Any]:
    """Return `macros` of one macro."""
    _, package, name = id_.split(".")
    return {
        id_: {
            "name": name,
            "package_name": package,
            "macro_sql": sql,
            "depends_on": {"macros": list(calls)},
        }
    }


def manifest(
    nodes: dict[str, Any] | None = None,
    *,
    metadata: dict[str, Any] | None = None,
    version: str = "v12",
    **sections: Any,
) -> bytes:
    """Return a manifest's bytes."""
    head = {
        "dbt_schema_version": SCHEMA.format(version),
        "dbt_version": "1.11.0",
        "project_name": "shop",
        "adapter_type": "duckdb",
    }
    content = {"metadata": head | (metadata or {}), "nodes": nodes or {}} | sections
    return msgspec.json.encode(content)


def read(nodes: dict[str, Any] | None = None, **rest: Any) -> Manifest:
    """Build and read a manifest."""
    return read_manifest(manifest(nodes, **rest), source="manifest.json")


def only(nodes: dict[str, Any], **rest: Any) -> Node:
    """Build a manifest of one node and return it."""
    (node,) = read(nodes, **rest).project.nodes.values()
    return node


def reasons(nodes: dict[str, Any], **rest: Any) -> tuple[str, ...]:
    """Return why plain SQL cannot run the one node."""
    return only(nodes, **rest).spec.unsupported  # type: ignore[union-attr]


def refused(data: bytes) -> tuple[Problem, ...]:
    """Return the problems of a manifest that is refused."""
    with pytest.raises(ManifestError) as caught:
        read_manifest(data, source="manifest.json")
    return caught.value.problems


def complaint(data: bytes) -> str:
    """Return the one problem of a manifest as text."""
    (problem,) = refused(data)
    return str(problem)
