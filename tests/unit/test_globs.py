"""Patterns of paths beside fsspec's, which we did not write, and patterns that would burn."""

from __future__ import annotations

import re
import time

import pytest
from fsspec.utils import glob_translate
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.globs import coarser, matches

PARTS = st.sampled_from(
    ["a", "b", "ab", "a.csv", "*", "a*", "*.csv", "?", "[ab]", "[!a]", "[", "**"]
)
NAMES = st.sampled_from(["a", "b", "ab", "a.csv", "b.csv", "["])
BURNERS = [
    "**/" * 40 + "x",
    "*a" * 60 + "b",
    "**/" + "*a" * 60 + "b",
    "[" * 4000,
    "[!" * 2000,
    "?*" * 100,
]


@given(st.lists(PARTS, min_size=1, max_size=5), st.lists(NAMES, min_size=1, max_size=5))
def test_a_pattern_matches_what_it_does_in_fsspec(pattern: list[str], path: list[str]) -> None:
    if pattern[-1] == "**":
        pattern.append("*")  # at the end it is files to us, and fsspec's has folders too
    theirs = re.match(glob_translate("/".join(pattern)), "/".join(path)) is not None
    assert matches(path, pattern) == theirs


@given(st.lists(PARTS, min_size=1, max_size=5), st.lists(NAMES, min_size=1, max_size=5))
def test_a_coarser_pattern_matches_all_that_the_pattern_does(
    pattern: list[str], path: list[str]
) -> None:
    if matches(path, pattern):
        assert matches(path, coarser(pattern))
        assert re.match(glob_translate("/".join(coarser(pattern))), "/".join(path))


@pytest.mark.parametrize("pattern", BURNERS, ids=range(len(BURNERS)))
def test_no_pattern_burns(pattern: str) -> None:
    """By the standard library's or fsspec's expressions some take years."""
    begun = time.process_time()
    path = ["a" * 60] * 30
    assert not matches(path, pattern.split("/"))
    re.match(glob_translate("/".join(coarser(pattern.split("/")))), "/".join(path))
    assert time.process_time() - begun < 10
