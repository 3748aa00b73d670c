"""dbt manifests written by hand, as small as they can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def model(name: str, *parents: str, project: str = "tiny", **fields: Any) -> dict[str, Any]:
    """A view, unless `config` says otherwise, over the models it is given."""
    depends_on = {"nodes": [f"model.{project}.{parent}" for parent in parents], "macros": []}
    return {
        "unique_id": f"model.{project}.{name}",
        "resource_type": "model",
        "name": name,
        "alias": name,
        "package_name": project,
        "original_file_path": f"models/{name}.sql",
        "path": f"{name}.sql",
        "fqn": [project, name],
        "database": "wh",
        "schema": "main",
        "language": "sql",
        "raw_code": "select 1 as id",
        "compiled_code": "select 1 as id",
        "depends_on": depends_on,
        "config": {"materialized": "table", "enabled": True},
        **fields,
    }


def manifest(*nodes: dict[str, Any], project: str = "tiny", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": project,
            "adapter_type": "duckdb",
            **metadata,
        },
        "nodes": {node["unique_id"]: node for node in nodes},
        "sources": {},
        "exposures": {},
        "macros": {},
    }


def write(path: Path, content: dict[str, Any] | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
