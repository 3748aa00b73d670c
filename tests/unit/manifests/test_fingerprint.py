"""A fingerprint changes with what runs or shows, and with nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.manifests.built import entry, only, read

BASE: dict[str, Any] = {
    "compiled_code": "select 1",
    "description": "One.",
    "tags": ["a"],
    "meta": {"owner": "Ada", "x": {"b": 1, "a": 2}},
    "config": {"materialized": "table", "meta": {}},
    "checksum": {"name": "sha256", "checksum": "00"},
}


def mark(fields: dict[str, Any], **rest: Any) -> str:
    return only({"model.shop.m": entry("model.shop.m", **fields)}, **rest).fingerprint


def test_is_short_and_stable() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", mark(BASE))
    assert mark(BASE) == mark(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"compiled_code": "select 2"},
        {"description": "Two."},
        {"tags": ["b"]},
        {"meta": {"owner": "Grace"}},
        {"config": {"materialized": "view"}},
        {"config": {"materialized": "table", "meta": {}, "own": 1}},
        {"checksum": {"name": "sha256", "checksum": "01"}},
        {"alias": "other"},
        {"compiled_code_incremental": "x", "config": {"materialized": "incremental"}},
        {"patch_path": "shop://models/other.yml"},
    ],
)
def test_changes_with_the_node(change: dict[str, Any]) -> None:
    assert mark(BASE | change) != mark(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": 5.0},
        {"root_path": "/another/machine"},
        {"build_path": "/another/machine"},
        {"unique_id": "x"},
        {"meta": {"x": {"a": 2, "b": 1}, "owner": "Ada"}},
        {"config": {"meta": {}, "materialized": "table"}},
    ],
)
def test_does_not_change_with_the_rest(change: dict[str, Any]) -> None:
    assert mark(BASE | change) == mark(BASE)


def test_does_not_change_with_the_invocation() -> None:
    metadata = {"generated_at": "2030", "invocation_id": "x", "env": {"a": "b"}}
    assert mark(BASE, metadata=metadata) == mark(BASE)


def test_changes_with_the_parents_and_the_seeds_rows() -> None:
    child = {"depends_on": {"nodes": ["model.shop.p"]}}
    parent = {"model.shop.p": entry("model.shop.p")}
    nodes = read({"model.shop.m": entry("model.shop.m", **(BASE | child))} | parent).project.nodes
    assert nodes["model.shop.m"].fingerprint != mark(BASE)
    seed = "seed.shop.s"
    rows = [only({seed: entry(seed, dataops_csv=csv)}).fingerprint for csv in ("a\n1", "a\n2")]
    assert rows[0] != rows[1]
