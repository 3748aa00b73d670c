"""The number of rows against what it used to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.model import Relation
from airflow_dataops.core.quality.check import Scene
from airflow_dataops.core.quality.history import RowCountHistory
from airflow_dataops.core.sql.tables import Table

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
TABLE = Table(relation=Relation(identifier="t"), sql='"t"', columns=())


def judged(rows: int, points: list[tuple[datetime, float]], check: RowCountHistory) -> Status:
    past = {check.title: points}
    scene = Scene(table=TABLE, dialect="duckdb", subject="t", now=NOW, past=past)
    return check.judge(rows, rows, scene).status


def days(*counts: float) -> list[tuple[datetime, float]]:
    """The counts of the days before, the last of them yesterday's."""
    return [(NOW - timedelta(days=len(counts) - n), c) for n, c in enumerate(counts)]


WEEK = [100.0, 1000, 1000, 1000, 1000, 1000, 100]  # Mondays and Sundays are quiet
ANY = RowCountHistory(season="none")


@pytest.mark.parametrize(
    ("rows", "points", "check", "expected"),
    [
        (0, days(1000, 1000, 1000), ANY, Status.PASS),  # too few to compare with
        (0, days(1000, 1000, 1000, 1000), ANY, Status.FAIL),
        (0, days(900, 1, 4000, 2000, 10), ANY, Status.FAIL),  # none is never usual
        (0, days(0, 0, 3, 0), ANY, Status.PASS),  # unless it was
        (1090, days(1000, 1000, 1000, 1000), ANY, Status.PASS),
        (1110, days(1000, 1000, 1000, 1000), ANY, Status.FAIL),
        (1000, days(1000, 1000, 1000, 90_000), ANY, Status.PASS),  # an outlier moves nothing
        (100, days(*WEEK * 4), RowCountHistory(), Status.PASS),
        (1000, days(*WEEK * 4), RowCountHistory(), Status.FAIL),
        (100, days(*WEEK * 4), ANY, Status.FAIL),
        (0, days(1000, 1000, 1000, 1000), RowCountHistory(season="none", warn_only=True),
         Status.WARN),
    ],
)  # fmt: skip
def test_counts_against_the_baseline(
    rows: int, points: list[tuple[datetime, float]], check: RowCountHistory, expected: Status
) -> None:
    assert judged(rows, points, check) is expected
