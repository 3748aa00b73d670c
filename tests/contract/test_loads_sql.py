"""The SQL of each verb on each engine is the one that was reviewed."""

from __future__ import annotations

import pytest

from tests.contract.emitted import EXPECTED, REVIEWED, emitted, path_of
from tests.contract.scenarios import SCENARIOS

ANEW = "look at the difference; `python -m tests.contract.emitted` writes the files anew"


SLOW = ("snowflake",)
ENGINES = [pytest.param(e, marks=[pytest.mark.slow] if e in SLOW else []) for e in REVIEWED]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_sql_is_as_reviewed(engine: str, scenario: str) -> None:
    assert emitted(engine, scenario) == path_of(engine, scenario).read_text(), ANEW


def test_no_file_is_left_over() -> None:
    files = {path.name for path in EXPECTED.glob("*.sql")}
    assert files == {path_of(e, s).name for e in REVIEWED for s in SCENARIOS}
