"""dbt manifests of any size, for measuring: layered models with tests, as projects have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.real import with_metadata

if TYPE_CHECKING:
    from pathlib import Path

BARE, REAL = KINDS = ("bare", "real")
"""Without metadata, and with that of real projects: benchmarks/real.py."""
LAYERS = ("staging", "intermediate", "marts")
PREFIX = {"staging": "stg", "intermediate": "int", "marts": "fct"}
PARENTS = (1, 2, 1, 2)
"""How many parents models have, in turn: about 1.5 edges a model."""


def manifest(
    models: int, *, slices: int = 0, generated_at: str = "2026-01-01T00:00:00Z"
) -> dict[str, Any]:
    """A project of `models` models, each with the tests `unique` and `not_null` on its key.

    With `slices`, a model also has one of the tags `slice_0`, `slice_1` and so on.
    """
    nodes: dict[str, Any] = {}
    for number in range(models):
        node = _model(number, models)
        if slices:
            node["tags"] = [*node["tags"], f"slice_{number * slices // models}"]
            node["config"]["tags"] = node["tags"]
        nodes[node["unique_id"]] = node
        for kind in ("unique", "not_null"):
            test = _test(kind, node)
            nodes[test["unique_id"]] = test
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.11.16",
            "generated_at": generated_at,
            "invocation_id": generated_at,
            "project_name": "bench",
            "adapter_type": "duckdb",
        },
        "nodes": nodes,
        "sources": {},
        "macros": {},
        "docs": {},
        "exposures": {},
        "metrics": {},
        "groups": {},
        "selectors": {},
        "disabled": {},
        "parent_map": {id_: node["depends_on"]["nodes"] for id_, node in nodes.items()},
        "child_map": {},
        "saved_queries": {},
        "semantic_models": {},
        "unit_tests": {},
    }


def write(path: Path, models: int, slices: int = 0, *, kind: str = BARE) -> Path:
    """Write such a manifest to a file, where it is not there yet; `kind` is one of `KINDS`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = manifest(models, slices=slices)
        path.write_text(json.dumps(with_metadata(content) if kind == REAL else content))
    return path


def _layer(number: int, models: int) -> str:
    return LAYERS[min(number * len(LAYERS) // models, len(LAYERS) - 1)]


def _name(number: int, models: int) -> str:
    return f"{PREFIX[_layer(number, models)]}_model_{number:05d}"


def _model(number: int, models: int) -> dict[str, Any]:
    layer, name = _layer(number, models), _name(number, models)
    count = PARENTS[number % len(PARENTS)]
    # Parents at most some hundred models back: wide and deep, without a single bottleneck.
    picks = {max(0, number - 1 - (number * 7919 + k * 131) % 300) for k in range(count)}
    parents = sorted(picks - {number}) if number else []
    uids = [f"model.bench.{_name(parent, models)}" for parent in parents]
    sql = "select id, name, amount from " + " join ".join(
        f'"bench"."main"."{uid.split(".")[-1]}"' for uid in uids or ["x.y.raw"]
    )
    return {
        "unique_id": f"model.bench.{name}",
        "resource_type": "model",
        "name": name,
        "alias": name,
        "package_name": "bench",
        "path": f"{layer}/{name}.sql",
        "original_file_path": f"models/{layer}/{name}.sql",
        "patch_path": f"bench://models/{layer}/schema.yml",
        "fqn": ["bench", layer, name],
        "database": "bench",
        "schema": "main",
        "relation_name": f'"bench"."main"."{name}"',
        "language": "sql",
        "raw_code": sql,
        "compiled_code": sql + "\n-- " + "x" * 400,
        "compiled": True,
        "checksum": {"name": "sha256", "checksum": f"{number:064x}"},
        "description": f"Model number {number}.",
        "tags": ["daily"] if number % 2 else ["hourly"],
        "meta": {},
        "columns": {
            "id": {
                "name": "id",
                "description": "The key.",
                "meta": {},
                "data_type": None,
                "tags": [],
            }
        },
        "depends_on": {"macros": [], "nodes": uids},
        "refs": [{"name": uid.split(".")[-1], "package": None, "version": None} for uid in uids],
        "sources": [],
        "config": {"enabled": True, "materialized": "table", "tags": [], "meta": {}},
        "docs": {"show": True, "node_color": None},
        "access": "protected",
        "created_at": 1767225600.0,
    }


def _test(kind: str, node: dict[str, Any]) -> dict[str, Any]:
    name = f"{kind}_{node['name']}_id"
    return {
        "unique_id": f"test.bench.{name}.0123456789",
        "resource_type": "test",
        "name": name,
        "alias": name,
        "package_name": "bench",
        "path": f"{name}.sql",
        "original_file_path": node["patch_path"].removeprefix("bench://"),
        "fqn": [*node["fqn"][:-1], name],
        "database": "bench",
        "schema": "main_dbt_test__audit",
        "relation_name": None,
        "language": "sql",
        "raw_code": f"{{{{ test_{kind}(**_dbt_generic_test_kwargs) }}}}",
        "compiled_code": f'select id from "bench"."main"."{node["name"]}" where id is null',
        "compiled": True,
        "checksum": {"name": "none", "checksum": ""},
        "description": "",
        "tags": [],
        "meta": {},
        "columns": {},
        "depends_on": {"macros": [f"macro.dbt.test_{kind}"], "nodes": [node["unique_id"]]},
        "config": {"enabled": True, "severity": "ERROR", "materialized": "test"},
        "test_metadata": {"name": kind, "kwargs": {"column_name": "id"}, "namespace": None},
        "attached_node": node["unique_id"],
        "column_name": "id",
        "created_at": 1767225600.0,
    }
