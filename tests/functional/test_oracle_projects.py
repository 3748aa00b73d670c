"""Projects, built by dbt and by our engine, give equal tables and verdicts.

Compared with the recording, what only dbt can run is left out, and what depends on it; the slow
tests build that too, by dbt on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracle.comparison import RUNS, Comparison, compare
from tests.oracle.projects import ATELIER, ATELIER_ON_POSTGRES, SHOP, OracleProject
from tests.oracle.recording import WAYS, recording
from tests.oracle.state import differences

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(
    scope="module", params=[SHOP, ATELIER, ATELIER_ON_POSTGRES], ids=lambda project: project.id
)
def project(request: pytest.FixtureRequest) -> OracleProject:
    return request.param


@pytest.fixture(scope="module", params=WAYS)
def compared(
    request: pytest.FixtureRequest, project: OracleProject, tmp_path_factory: pytest.TempPathFactory
) -> Comparison:
    folder: Path = tmp_path_factory.mktemp(project.id)
    with recording(request, project.id) as recorded:
        return compare(project, folder, recorded)


def test_most_is_built_on_both_sides(compared: Comparison) -> None:
    """Guards the comparison itself."""
    assert len(compared.left_out) < len(compared.dbt[0].outcomes) / 4
    assert len(compared.by_dbt(0)) > 20


@pytest.mark.parametrize("run", range(len(RUNS)), ids=RUNS)
def test_tables_and_views_are_equal(compared: Comparison, run: int) -> None:
    found = differences(compared.by_dbt(run), compared.ours[run].state)

    assert not found, "\n" + "\n".join(found) + f"\nerrors: {compared.ours[run].errors}"


@pytest.mark.parametrize("run", range(len(RUNS)), ids=RUNS)
def test_verdicts_are_equal(compared: Comparison, run: int) -> None:
    """Every node ends alike, and every test counts the same failures."""
    dbt, ours = compared.dbt[run].outcomes, compared.ours[run].outcomes
    expected = {
        id_: outcome
        for id_, outcome in dbt.items()
        if not id_.startswith(("unit_test.", "exposure."))
        and outcome[0] != "skipped"
        and id_ not in compared.left_out
    }

    assert {id_: (expected.get(id_), ours.get(id_)) for id_ in expected.keys() | ours.keys()} == {
        id_: (outcome, outcome) for id_, outcome in expected.items()
    }, compared.ours[run].errors


@pytest.mark.parametrize("run", range(len(RUNS)), ids=RUNS)
def test_freshness_is_judged_alike(compared: Comparison, run: int) -> None:
    assert compared.ours[run].freshness == compared.dbt[run].freshness
