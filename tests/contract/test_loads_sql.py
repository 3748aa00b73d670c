"""The SQL of each verb on each engine is the one that was reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract import emitted_models
from tests.contract.emitted import EXPECTED, REVIEWED, emitted, path_of, scenarios_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ANEW = "look at the difference; `python -m tests.contract.emitted` writes the files anew"


QUICK = {
    "bigquery": ("history", "merge", "partition"),
    "redshift": ("changes", "history", "merge"),
    "snowflake": (),
}
"""The scenarios that run on emulators each time; the others are slow there."""


def cases() -> Iterator[Any]:
    for engine in REVIEWED:
        for scenario in scenarios_of(engine):
            slow = engine in QUICK and scenario not in QUICK[engine]
            yield pytest.param(engine, scenario, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(("engine", "scenario"), cases())
def test_the_sql_is_as_reviewed(engine: str, scenario: str) -> None:
    assert emitted(engine, scenario) == path_of(engine, scenario).read_text(), ANEW


def test_no_file_is_left_over() -> None:
    files = {path.name for path in EXPECTED.glob("*.sql")}
    assert files == {path_of(e, s).name for e in REVIEWED for s in scenarios_of(e)}


@pytest.mark.parametrize("engine", emitted_models.REVIEWED)
def test_the_sql_of_dbts_materializations_is_as_reviewed(engine: str) -> None:
    emitted = emitted_models.emitted_models(engine)
    assert emitted == emitted_models.path_of(engine).read_text(), ANEW
