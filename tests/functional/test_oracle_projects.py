"""Projects, built by dbt and by our engine, give equal tables and verdicts.

Compared with the recording, what only dbt can run is left out, and what depends on it; the slow
tests build that too, by dbt on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracle.comparison import Comparison, compare
from tests.oracle.projects import (
    ALMANAC,
    ALMANAC_ON_POSTGRES,
    ATELIER,
    ATELIER_ON_POSTGRES,
    SHOP,
    OracleProject,
)
from tests.oracle.recording import WAYS, recording
from tests.oracle.state import differences

if TYPE_CHECKING:
    from pathlib import Path


# Quick is each project on one engine; on the other it is slow.
PROJECTS = (
    SHOP,
    pytest.param(ATELIER, marks=pytest.mark.slow),
    ATELIER_ON_POSTGRES,
    ALMANAC,
    pytest.param(ALMANAC_ON_POSTGRES, marks=pytest.mark.slow),
)


@pytest.fixture(scope="module", params=PROJECTS, ids=lambda project: project.id)
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


def test_tables_and_views_are_equal(project: OracleProject, compared: Comparison) -> None:
    for run, step in enumerate(project.steps):
        found = differences(compared.by_dbt(run), compared.ours[run].state)
        assert not found, "\n".join((step.name, *found, f"errors: {compared.ours[run].errors}"))


def test_verdicts_are_equal(project: OracleProject, compared: Comparison) -> None:
    """Every node and hook ends alike, and every test counts the same failures."""
    for run, step in enumerate(project.steps):
        dbt, ours = compared.dbt[run].outcomes, compared.ours[run].outcomes
        expected = {
            id_: outcome
            for id_, outcome in dbt.items()
            if not id_.startswith(("unit_test.", "exposure."))
            and outcome[0] != "skipped"
            and id_ not in compared.left_out
        }
        ids = expected.keys() | ours.keys()
        assert {id_: (expected.get(id_), ours.get(id_)) for id_ in ids} == {
            id_: (outcome, outcome) for id_, outcome in expected.items()
        }, (step.name, compared.ours[run].errors)


def test_freshness_is_judged_alike(project: OracleProject, compared: Comparison) -> None:
    for run, step in enumerate(project.steps):
        assert compared.ours[run].freshness == compared.dbt[run].freshness, step.name
