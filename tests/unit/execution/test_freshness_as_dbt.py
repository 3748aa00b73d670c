"""Source freshness against `dbt source freshness`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.results import Status
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Manifest
    from tests.unit.execution.dbt_process import Verdict

LIMITS = "warn_after: {count: 90, period: minute}, error_after: {count: 1, period: day}"
pytestmark = pytest.mark.foreign_clock

HOURS_AGO = "now() - interval {} hour"
# name: rows to put in, how the source declares its freshness
CASES = {
    "new": ([HOURS_AGO.format(1), HOURS_AGO.format(100)], LIMITS),
    "old": ([HOURS_AGO.format(2)], LIMITS),
    "very_old": ([HOURS_AGO.format(25)], LIMITS),
    "future": (["now() + interval 3 day"], LIMITS),
    "zone": (["(now() - interval 2 hour)::timestamptz"], LIMITS),
    "nothing": ([], LIMITS),
    "nothing_warned": ([], "warn_after: {count: 1, period: hour}, error_after: null"),
    "only_nulls": (["null"], LIMITS),
    "only_error": (
        [HOURS_AGO.format(2)],
        "error_after: {count: 1, period: hour}, warn_after: null",
    ),
    "filtered": (
        ["now()", HOURS_AGO.format(30)],
        LIMITS + ", filter: seen < now() - interval 1 day",
    ),
    "filtered_away": (["now()"], LIMITS + ", filter: 'false -- none'"),
}
QUERIES = {
    "by_query": (["now()", HOURS_AGO.format(5)], "select min(seen) from {{ this }}"),
    "by_query_zone": (["now()"], "select max(seen)::timestamptz from {{this}} -- newest"),
    "by_query_nothing": (["now()"], "select seen from raw.by_query_nothing where false"),
}


def source_file() -> str:
    lines = ["sources:", "  - name: raw", "    schema: raw", "    tables:"]
    for name, (_, freshness) in CASES.items():
        field = "seen::timestamptz" if name == "zone" else "seen"
        lines.append(
            f"      - {{name: {name}, config: {{loaded_at_field: '{field}', "
            f"freshness: {{{freshness}}}}}}}"
        )
    for name, (_, query) in QUERIES.items():
        lines.append(
            f"      - {{name: {name}, config: {{loaded_at_query: '{query}', "
            f"freshness: {{{LIMITS}}}}}}}"
        )
    return "\n".join(lines)


@pytest.fixture(scope="module", params=WAYS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SideBySide]:
    files = {"models/raw.yml": source_file()}
    with recording(request, "freshness") as recorded:
        both = SideBySide(tmp_path_factory.mktemp("freshness"), files, recorded)
        both.execute("create schema raw", "set timezone = 'UTC'")
        for name, (times, _) in {**CASES, **QUERIES}.items():
            both.execute(f"create table raw.{name} (seen timestamp)")
            for time in times:
                both.execute(f"insert into raw.{name} select cast({time} as timestamp)")
        yield both


def by_quarters(verdict: Verdict) -> Verdict:
    """Round the age to quarters of an hour; all of them here are whole hours when asked."""
    if verdict.age is None or verdict.age > 1e9:
        return replace(verdict, age=verdict.age and 1e10)
    return replace(verdict, age=round(verdict.age / 900) * 900.0)


@pytest.fixture(scope="module")
def verdicts(pair: SideBySide) -> dict[str, Verdict]:
    found = pair.dbt("source", "freshness", form=by_quarters)
    return {id_.split(".")[-1]: verdict for id_, verdict in found.items()}


@pytest.fixture(scope="module")
def manifest(pair: SideBySide, verdicts: dict[str, Verdict]) -> Manifest:
    return pair.manifest()


@pytest.mark.parametrize("name", [*CASES, *QUERIES])
def test_a_source_is_as_fresh_as_dbt_says(
    pair: SideBySide, verdicts: dict[str, Verdict], manifest: Manifest, name: str
) -> None:
    node = manifest.project.nodes[f"source.pair.raw.{name}"]
    now = datetime.now(UTC)
    result = pair.ours(lambda runner: check_freshness(node, runner, now=now))
    expected = verdicts[name]
    assert result.status == (Status.FAIL if expected.status == "error" else expected.status)
    if result.age_minutes is not None:
        assert expected.age is not None
        assert result.age_minutes == pytest.approx(expected.age / 60, abs=5)
    else:
        assert expected.age is not None
        assert expected.age > 1e9  # dbt takes no time for the year 1


def test_the_cases_pass_warn_and_fail(verdicts: dict[str, Verdict]) -> None:
    assert {verdicts[name].status for name in verdicts} == {"pass", "warn", "error"}
