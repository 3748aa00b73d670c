"""Which tests join a selection by way of their parents."""

from __future__ import annotations

import pytest

from airflow_dataops.core.selection import IndirectSelection
from tests.unit.selection.port import DATA_TESTS, chosen

EAGER, CAUTIOUS, BUILDABLE, EMPTY = IndirectSelection


def joined(select: str, indirect: IndirectSelection, exclude: str | None = None) -> set[str]:
    return chosen(select, exclude, indirect=indirect) & (DATA_TESTS | {"ships_are_trimmed"})


@pytest.mark.parametrize(
    ("indirect", "tests"),
    [
        (EAGER, {"unique_stg_ships_ship_id", "calls_have_ships", "ships_are_trimmed"}),
        (CAUTIOUS, {"unique_stg_ships_ship_id", "ships_are_trimmed"}),
        (BUILDABLE, {"unique_stg_ships_ship_id", "ships_are_trimmed"}),
        (EMPTY, set()),
    ],
)
def test_modes(indirect: IndirectSelection, tests: set[str]) -> None:
    """`calls_have_ships` reads from two models, of which one is selected."""
    assert joined("stg_ships", indirect) == tests


def test_buildable_counts_ancestors() -> None:
    """Both parents of these tests are fct_calls or upstream of it."""
    assert joined("fct_calls", CAUTIOUS) == set()
    assert joined("fct_calls", BUILDABLE) == {"calls_have_ships", "assert_calls"}


@pytest.mark.parametrize("select", ["stg_ships fct_calls", "+fct_calls,tag:daily fct_calls"])
def test_cautious_waits_for_all_parts(select: str) -> None:
    """Parents that come from different parts of an expression let a test in."""
    assert "calls_have_ships" in joined(select, CAUTIOUS)


def test_exclude_takes_tests_along() -> None:
    """Excluding one parent excludes a test in eager mode, and keeps it in no other way."""
    assert joined("stg_ships fct_calls", EAGER, "fct_calls") == {
        "unique_stg_ships_ship_id",
        "ships_are_trimmed",
    }


def test_a_test_can_be_named() -> None:
    """A test that is selected itself needs no parent."""
    assert chosen("calls_have_ships", indirect=EMPTY) == {"calls_have_ships"}
