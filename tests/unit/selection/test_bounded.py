"""Patterns, selectors and documents that are made to take for ever do not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from google.api_core.exceptions import GoogleAPIError

from airflow_dataops.core.decoding import read_yaml
from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.globs import matches
from airflow_dataops.core.model import ModelSpec, Node, NodeKind, Project
from airflow_dataops.core.selection import NodeSelector, load_selectors
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.duckdb_connection import _OPENS_TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _within_seconds() -> Iterator[None]:
    """CPU time: each of these took minutes, or until the sun goes out."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 5


def project(**selectors: dict[str, object]) -> Project:
    path = "/".join("f" * 40) + "/a.sql"
    node = Node(
        id="model.p.a",
        kind=NodeKind.MODEL,
        name="a",
        package="p",
        spec=ModelSpec(materialized="view"),
        fqn=("p", *"f" * 40, "a"),
        path=path,
    )
    return Project(name="p", nodes={node.id: node}, selectors=selectors)


@pytest.mark.parametrize("tail", ["a.sql", "b.sql", "*", "*.py"])
def test_many_stars_in_a_path(tail: str) -> None:
    expected = {"model.p.a"} if tail in ("a.sql", "*") else set()
    pattern = "path:" + "**/" * 40 + tail
    if expected:
        assert NodeSelector(project()).select(pattern) == expected
    else:
        with pytest.raises(ConfigError, match="matches nothing"):
            NodeSelector(project()).select(pattern)


@pytest.mark.parametrize(
    ("path", "pattern", "is_match"),
    [
        ("a/b/c", "**", True),
        ("a/b/c", "**/c", True),
        ("a/b/c", "a/**/c", True),
        ("a/c", "a/**/c", True),
        ("a/b/c", "a/**/b", False),
        ("a/b/c", "*/*", False),
        ("a/b/c", "a/**/**/b/*", True),
        ("a", "a/**", True),
        ("", "**", True),
        ("a", "", False),
    ],
)
def test_stars_in_a_path_mean_what_they_did(path: str, pattern: str, *, is_match: bool) -> None:
    parts = [tuple(filter(None, text.split("/"))) for text in (path, pattern)]
    assert matches(parts[0], parts[1]) is is_match


def test_many_stars_in_a_name() -> None:
    for method in ("fqn", "tag", "file", "test_name", "package", "group"):
        with pytest.raises(ConfigError, match="matches nothing"):
            NodeSelector(project()).select(f"{method}:{'f*' * 200}z")


def doubling(count: int) -> Iterator[tuple[str, object]]:
    yield "s0", {"method": "fqn", "value": "a"}
    for number in range(1, count):
        above = {"method": "selector", "value": f"s{number - 1}"}
        yield f"s{number}", {"union": [above, above]}


def test_selectors_that_name_each_other_twice() -> None:
    entries = {name: {"name": name, "definition": text} for name, text in doubling(60)}
    assert NodeSelector(project(**entries)).select("selector:s59") == {"model.p.a"}


def test_selectors_that_name_each_other_twice_and_match_nothing() -> None:
    entries = {name: {"name": name, "definition": text} for name, text in doubling(60)}
    entries["s0"]["definition"] = {"method": "fqn", "value": "gone"}
    with pytest.raises(ConfigError, match="matches nothing"):
        NodeSelector(project(**entries)).select("selector:s59")


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
CIRCLE = "a: &a [*a]\n"
DEEP = "[" * 20_000
DEEP_BLOCK = "".join(f"{' ' * n}a:\n" for n in range(2_000))


@pytest.mark.parametrize("text", [BOMB, CIRCLE, DEEP, DEEP_BLOCK])
def test_yaml_that_multiplies(text: str) -> None:
    with pytest.raises(ConfigError, match=r"no YAML: .*(aliases|too deep)"):
        read_yaml(text, "slas.yaml")
    with pytest.raises(ConfigError, match=r"(?s)not YAML: .*(aliases|too deep)"):
        load_selectors(text)


def test_aliases_within_bounds_are_taken() -> None:
    assert read_yaml("a: &a [1, 2]\nb: {c: *a, d: *a}", "x") == {
        "a": [1, 2],
        "b": {"c": [1, 2], "d": [1, 2]},
    }


def test_statements_with_many_comments() -> None:
    assert _OPENS_TRANSACTION.match("/**/" * 50_000 + "x") is None
    assert _OPENS_TRANSACTION.match("/*" * 50_000) is None
    assert _OPENS_TRANSACTION.match(" -- a\n/* b */ begin;")
    assert _OPENS_TRANSACTION.match("/* a */ /* b */start transaction")
    assert _OPENS_TRANSACTION.match("beginning") is None


def test_an_error_that_speaks_of_sessions() -> None:
    assert kind_of(GoogleAPIError("session " * 30_000)) is ErrorKind.OTHER
    assert kind_of(GoogleAPIError("Session abc was aborted")) is ErrorKind.LOST
