"""Whatever happens to the bytes of a manifest, there is a manifest or a ManifestError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.errors import ManifestError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "manifests"
REAL = (FIXTURES / "v12.json").read_bytes()
TREE = json.loads(REAL)
MANY = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def survives(data: bytes) -> Manifest | None:
    """Read; anything but a manifest or a ManifestError with a text fails the test."""
    try:
        return read_manifest(data, source="manifest.json")
    except ManifestError as error:
        refusal = error
    assert refusal.problems
    assert str(refusal).startswith("manifest.json: ")
    return None


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


PLACES = [
    path
    for section in ("metadata", "nodes", "sources", "exposures", "unit_tests")
    for path in [(section,), *places(TREE[section], (section,))]
]


@MANY
@given(st.integers(0, len(REAL) - 3))
def test_truncated(end: int) -> None:
    assert survives(REAL[:end]) is None


@MANY
@given(st.integers(0, len(REAL) - 1), st.binary(min_size=1, max_size=3))
def test_overwritten(start: int, noise: bytes) -> None:
    survives(REAL[:start] + noise + REAL[start + len(noise) :])


@MANY
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    assert survives(data) is None


@MANY
@given(JSON)
def test_any_json(value: Any) -> None:
    assert survives(json.dumps(value).encode()) is None


@MANY
@given(st.sampled_from(PLACES), JSON)
def test_any_value_in_any_place(path: tuple[Any, ...], value: Any) -> None:
    tree = json.loads(REAL)
    target = tree
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    survives(json.dumps(tree).encode())


@pytest.mark.parametrize("section", ["nodes", "sources", "exposures", "unit_tests", "macros"])
def test_deep_nesting_in_any_section(section: str) -> None:
    deep = b'{"x": ' * 50_000 + b"1" + b"}" * 50_000
    survives(REAL.replace(f'"{section}": {{'.encode(), f'"{section}": '.encode() + deep, 1))


def test_the_undamaged_one_is_read() -> None:
    assert survives(REAL) is not None
