"""Texts of manifests, selections and pipelines that a careless pattern takes minutes for."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.manifests.dbt.touched import words
from airflow_dataops.core.pipelines.layers import _HOLE
from airflow_dataops.core.selection import NodeSelector
from airflow_dataops.core.selection.spec import MethodName
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "a" * 80
STARS = "*a" * 40 + "b"
PATTERNS = [
    "**/" * 40 + "x.sql",
    STARS,
    f"{STARS}.{STARS}.{STARS}",
    "[" * 500,
    "[!-" * 200,
    "?*" * 90,
]
PUMPS = ["{{", "{%", "{#", "{{ x }}", "{# #}", "{{ '", " ", "\n", "modules.", "dbt_utils.get_", "|"]
MOST = 10.0
"""CPU seconds; each takes some milliseconds, and took from a minute to years."""


@contextmanager
def soon() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < MOST


@pytest.fixture(scope="module")
def selector() -> NodeSelector:
    places = {"fqn": ["tiny", *([LONG] * 12)], "original_file_path": "/".join([LONG] * 12) + ".sql"}
    nodes = [model(f"{LONG}{n}", tags=[LONG], group=LONG, **places) for n in range(40)]
    return NodeSelector(read_manifest(json.dumps(manifest(*nodes)).encode(), source="m").project)


@pytest.mark.parametrize("method", MethodName)
def test_no_selector_burns(selector: NodeSelector, method: MethodName) -> None:
    name = "config.materialized" if method is MethodName.CONFIG else method
    with soon():
        for pattern in PATTERNS:
            for asked in ({"select": f"{name}:{pattern}"}, {"exclude": f"2+{name}:{pattern}+3"}):
                with suppress(ConfigError):
                    selector.select(asked.get("select"), asked.get("exclude"))


@pytest.mark.parametrize("text", ["+" * 5000, "1+" * 5000, "a:" * 5000, "@" * 5000, "9" * 20_000])
def test_no_text_of_a_selection_burns(selector: NodeSelector, text: str) -> None:
    with soon(), suppress(ConfigError):
        selector.select(text)


@pytest.mark.parametrize("pump", PUMPS)
def test_no_code_of_a_manifest_burns(pump: str) -> None:
    with soon():
        list(words("{{ run_query" + pump * (300_000 // len(pump)) + "x"))


def test_what_code_touches_is_found_beside_what_never_ends() -> None:
    assert list(words("{{ run_query('x') }} {# {{ adapter }} #} {# {% {{ modules")) == [
        "warehouse:run_query"
    ]


@pytest.mark.parametrize("pump", [" ", "a ", "${{", "${{ ", "}", "\n"])
def test_no_text_of_a_pipeline_burns(pump: str) -> None:
    with soon():
        assert not _HOLE.fullmatch("${{" + pump * 20_000 + "{x")
        _HOLE.sub("", "${{" + pump * 20_000 + "{x")
