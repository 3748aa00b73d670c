"""Reading stays fast where projects are large."""

from __future__ import annotations

import time
from typing import Any

from airflow_dataops.core.manifests import read_manifest
from tests.pace import at_most
from tests.unit.manifests.built import entry, manifest

MODELS = 5_000
SQL = "select " + ", ".join(f"column_{number}" for number in range(60)) + " from somewhere"


def large() -> bytes:
    """Return a manifest of 5,000 models with two tests each, as wide as real ones."""
    nodes: dict[str, Any] = {}
    for number in range(MODELS):
        id_ = f"model.shop.m{number:04}"
        parents = [f"model.shop.m{parent:04}" for parent in range(max(0, number - 3), number)]
        nodes[id_] = entry(
            id_,
            raw_code=SQL,
            compiled_code=SQL,
            config=CONFIG,
            columns={f"column_{n}": {"name": f"column_{n}", "tags": []} for n in range(20)},
            depends_on={"nodes": parents, "macros": []},
        )
        for kind in ("unique", "not_null"):
            test = f"test.shop.{kind}_m{number:04}"
            nodes[test] = entry(
                test,
                config={"severity": "ERROR", "warn_if": "!= 0", "error_if": "!= 0"},
                test_metadata={"name": kind},
                depends_on={"nodes": [id_], "macros": ["macro.dbt.test_unique"]},
            )
    return manifest(nodes)


CONFIG = {
    "enabled": True,
    "materialized": "table",
    "meta": {"owner": "ada@example.com", "sla_hours": 2},
    "tags": ["daily"],
    "on_schema_change": "ignore",
    "grants": {},
    "contract": {"enforced": False},
    "docs": {"show": True, "node_color": None},
    "persist_docs": {},
    "quoting": {},
    "column_types": {},
    "full_refresh": None,
    "unique_key": None,
    "pre-hook": [],
    "post-hook": [],
}


def test_5_000_models_with_10_000_tests_take_a_second_or_so() -> None:
    """Bounded loosely, for the machine may be busy; prints the figure with -s."""
    data = large()
    started = time.process_time()
    project = read_manifest(data, source="manifest.json").project
    seconds = time.process_time() - started
    print(f"{len(data) / 1e6:.0f} MB, {len(project.nodes)} nodes: {seconds:.2f} s of CPU")  # noqa: T201
    assert len(project.nodes) == 3 * MODELS
    assert seconds < at_most(5)
