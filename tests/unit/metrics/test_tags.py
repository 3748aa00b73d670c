"""Names and tags that no datagram, no label and no dimension can be broken with."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.metrics.tags import (
    LONGEST_VALUE,
    NEVER,
    TagPolicy,
    clean_key,
    clean_name,
    clean_value,
)


@given(st.text())
def test_a_name_has_only_safe_characters(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.\-]{1,200}", clean_name(text))


@given(st.text())
def test_a_value_has_only_safe_characters(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.\-/+=@:% ]{1,128}", clean_value(text))
    assert clean_value(clean_value(text)) == clean_value(text)


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        ("orders.loaded", "orders.loaded"),
        ("a:1|c\nairflow.task.failure:1000|c", "a_1_c_airflow.task.failure_1000_c"),
        ("Zahlungen für Köln", "Zahlungen_fur_Koln"),
        ("", "unnamed"),
        ("...", "unnamed"),
    ],
    ids=["plain", "injection", "umlauts", "empty", "dots"],
)
def test_names(given_: str, sent: str) -> None:
    assert clean_name(given_) == sent


def test_long_values_stay_apart() -> None:
    """10 kB are cut, and two of them that begin alike are not the same series."""
    first, second = clean_value("x" * 10_000 + "1"), clean_value("x" * 10_000 + "2")
    assert len(first) == len(second) == LONGEST_VALUE
    assert first != second


@pytest.mark.parametrize("key", sorted(NEVER))
def test_what_tells_runs_apart_is_never_a_tag(key: str) -> None:
    assert TagPolicy(allow=frozenset({key})).apply([(key, "1")]) == ()


def test_allow_and_deny() -> None:
    tags = [("dag", "shop"), ("task", "load"), ("country", "de")]
    assert TagPolicy().apply(tags) == (("country", "de"), ("dag", "shop"), ("task", "load"))
    assert TagPolicy(allow=frozenset({"dag"})).apply(tags) == (("dag", "shop"),)
    assert TagPolicy(deny=frozenset({"task"})).apply(tags) == (("country", "de"), ("dag", "shop"))


def test_constant_tags_are_added_and_own_ones_win() -> None:
    policy = TagPolicy(constant=(("env", "prod"), ("team", "data")))
    assert policy.apply([("team", "web")]) == (("env", "prod"), ("team", "web"))


def test_keys_are_cleaned_before_they_are_judged() -> None:
    assert clean_key("run|id") == "run_id"
    assert TagPolicy().apply([("run|id", "manual__1")]) == ()
