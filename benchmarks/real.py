"""What people write into projects, on top of a bare manifest: the metadata that real ones have.

Owners, tags, `meta` (schedule, critical; on a third `sla_hours` and `freshness_hours`),
descriptions of some paragraphs, groups, exposures, versions and mixed materializations, in about
the shares of public projects. Random, the same for the same seed.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MATERIALIZATIONS = {"table": 30, "view": 50, "incremental": 12, "ephemeral": 8}
SCHEDULES = {"@daily": 70, "@hourly": 20, "0 6 * * *": 10}
DOMAINS = ("finance", "sales", "marketing", "product", "logistics", "support", "people", "core")
_WORDS = ("orders", "by", "customer", "and", "day", "without", "tests", "of", "the", "shop")
_PER_EXPOSURE = 50
"""Models for one exposure."""
_VERSIONED = 0.12
"""Of the models that nobody reads."""


def with_metadata(manifest: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """Give the models of a bare manifest metadata, in place; return the manifest."""
    random = Random(seed)
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    owners = [f"{random.choice(DOMAINS)}-{number}@example.com" for number in range(40)]
    manifest["groups"] = {f"group.bench.{name}": _group(name) for name in DOMAINS}
    parents = {parent for node in models for parent in node["depends_on"]["nodes"]}
    for node in models:
        _decorate(node, random, owners)
        if node["config"]["materialized"] == "ephemeral" and node["unique_id"] not in parents:
            node["config"]["materialized"] = "view"
        if node["unique_id"] not in parents and random.random() < _VERSIONED:
            node["version"], node["latest_version"] = 1, random.choice((1, 2))
    _keep_tested_in_the_warehouse(manifest["nodes"])
    exposures = (
        _exposure(number, models, random) for number in range(len(models) // _PER_EXPOSURE)
    )
    manifest["exposures"] = {each["unique_id"]: each for each in exposures}
    return manifest


def _decorate(node: dict[str, Any], random: Random, owners: list[str]) -> None:
    domain = random.choice(DOMAINS)
    meta: dict[str, Any] = {
        "owner": random.choice(owners),
        "schedule": _drawn(random, SCHEDULES),
        "critical": random.random() < 0.1,
    }
    if random.random() < 1 / 3:
        meta["sla_hours"] = random.choice((1, 2, 4, 6, 12))
        meta["freshness_hours"] = random.choice((6, 12, 24, 48))
    tags = [domain, *random.sample([f"team_{n}" for n in range(12)], 2), *node["tags"]]
    node["tags"] = node["config"]["tags"] = tags
    node["meta"] = node["config"]["meta"] = meta
    node["group"] = node["config"]["group"] = domain
    node["description"] = " ".join(random.choices(_WORDS, k=random.randint(5, 60)))
    node["config"]["materialized"] = _drawn(random, MATERIALIZATIONS)
    if node["config"]["materialized"] == "incremental":
        node["config"] |= {"incremental_strategy": "delete+insert", "unique_key": "id"}


def _keep_tested_in_the_warehouse(nodes: dict[str, Any]) -> None:
    """Take the relation, and the tests, from models that are part of others' SQL."""
    inlined = {id_ for id_, n in nodes.items() if n["config"]["materialized"] == "ephemeral"}
    for id_ in inlined:
        nodes[id_]["relation_name"] = None
    for id_ in [id_ for id_, n in nodes.items() if n.get("attached_node") in inlined]:
        del nodes[id_]


def _group(name: str) -> dict[str, Any]:
    return {
        "unique_id": f"group.bench.{name}",
        "resource_type": "group",
        "name": name,
        "package_name": "bench",
        "path": "groups.yml",
        "original_file_path": "models/groups.yml",
        "owner": {"name": name, "email": f"{name}@example.com"},
    }


def _exposure(number: int, models: list[dict[str, Any]], random: Random) -> dict[str, Any]:
    name = f"dashboard_{number:04d}"
    return {
        "unique_id": f"exposure.bench.{name}",
        "resource_type": "exposure",
        "name": name,
        "package_name": "bench",
        "path": "exposures.yml",
        "original_file_path": "models/exposures.yml",
        "fqn": ["bench", name],
        "type": "dashboard",
        "owner": {"name": "Analytics", "email": "analytics@example.com"},
        "description": "",
        "tags": [],
        "meta": {"sla_hours": 12} if number % 3 == 0 else {},
        "config": {"enabled": True},
        "depends_on": {
            "macros": [],
            "nodes": sorted({random.choice(models)["unique_id"] for _ in range(4)}),
        },
    }


def _drawn(random: Random, shares: Mapping[str, int]) -> str:
    (found,) = random.choices(list(shares), list(shares.values()))
    return found
