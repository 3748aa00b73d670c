"""Freshness in what a comparison with dbt does not show; see test_freshness_as_dbt.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.results import Status
from airflow_dataops.core.model import FreshnessSpec, Node, NodeKind, SourceSpec
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import RELATION, model, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.duckdb_runner import DuckDBRunner

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def runner() -> Iterator[DuckDBRunner]:
    with open_duckdb() as opened:
        opened.execute("create schema marts")
        opened.execute("set timezone = 'Asia/Tokyo'")
        yield opened


def source(**settings: Any) -> Node:
    limits = {"warn_after_minutes": 60.0, "error_after_minutes": 1440.0}
    freshness = FreshnessSpec(**{"loaded_at_field": "at", **limits, **settings})
    return node(SourceSpec(source="raw", freshness=freshness), kind=NodeKind.SOURCE)


def fill(runner: DuckDBRunner, *times: str) -> None:
    rows = " union all ".join(f'select {time} as "at"' for time in times)
    runner.execute(f"create table marts.orders as {rows}")


@pytest.mark.parametrize(
    ("time", "newest"),
    [
        ("timestamp '2024-05-01 11:30:00.25'", NOON - timedelta(minutes=30, seconds=-0.25)),
        ("timestamptz '2024-05-01 20:30:00+09'", NOON - timedelta(minutes=30)),
        ("date '2024-05-01'", NOON - timedelta(hours=12)),
        ("timestamp_ns '2024-05-01 11:30:00'", NOON - timedelta(minutes=30)),
    ],
)
def test_times_without_a_zone_and_dates_are_utc(
    runner: DuckDBRunner, time: str, newest: datetime
) -> None:
    """Whatever the session's own zone is."""
    fill(runner, time, "null")
    result = check_freshness(source(), runner, now=NOON)
    assert result.max_loaded_at == newest
    assert result.age_minutes == (NOON - newest) / timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_row_as_old_as_the_limit_is_within_it(runner: DuckDBRunner, seconds: int) -> None:
    fill(runner, "timestamp '2024-05-01 11:00:00'")
    result = check_freshness(source(), runner, now=NOON + timedelta(seconds=seconds))
    assert result.status == ("warn" if seconds else "pass")


def test_now_may_be_in_any_zone_but_must_have_one(runner: DuckDBRunner) -> None:
    fill(runner, "timestamp '2024-05-01 11:00:00'")
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert check_freshness(source(), runner, now=tokyo).age_minutes == 60
    with pytest.raises(ConfigError, match="no time zone"):
        check_freshness(source(), runner, now=datetime(2024, 5, 1))


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({}, Status.FAIL),
        ({"error_after_minutes": None}, Status.WARN),
        ({"warn_after_minutes": None}, Status.FAIL),
        ({"warn_after_minutes": None, "error_after_minutes": None}, Status.PASS),
    ],
)
def test_an_empty_source_is_older_than_any_limit(
    runner: DuckDBRunner, limits: dict[str, Any], status: Status
) -> None:
    runner.execute('create table marts.orders ("at" timestamp)')
    result = check_freshness(source(**limits), runner, now=NOON)
    assert (result.status, result.max_loaded_at, result.age_minutes) == (status, None, None)
    assert result.message.startswith("No row of memory.marts.orders has a time of loading")


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ("2024-05-01 11:15:00", "The newest row is 45 min old"),
        ("2024-05-01 09:30:00", "The newest row is 2 h 30 min old; a warning after 1 h"),
        ("2024-04-28 09:30:00", "The newest row is 3 d 2 h old; an error after 1 d"),
        ("2024-05-01 13:00:00", "The newest row is -1 h old"),
    ],
)
def test_the_message_says_how_old(runner: DuckDBRunner, time: str, message: str) -> None:
    fill(runner, f"timestamp '{time}'")
    assert check_freshness(source(), runner, now=NOON).message == message


@pytest.mark.parametrize("value", ["'2024-05-01'", "1714564800"])
def test_what_is_no_time_is_an_error(runner: DuckDBRunner, value: str) -> None:
    """As in dbt: text and numbers are to be cast by who knows what they mean."""
    fill(runner, value)
    with pytest.raises(duckdb.BinderException):
        check_freshness(source(), runner, now=NOON)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (model("table"), "is a model, not a source"),
        (node(SourceSpec(source="raw"), kind=NodeKind.SOURCE), "declares no freshness"),
        (source(loaded_at_field=None), "neither loaded_at_field nor loaded_at_query"),
        (
            source(loaded_at_query="select max(at) from {{ source('raw', 'orders') }}"),
            "holds Jinja other than {{ this }}",
        ),
    ],
)
def test_what_cannot_be_checked_says_why(runner: DuckDBRunner, broken: Node, message: str) -> None:
    assert broken.relation == RELATION
    with pytest.raises(ConfigError, match=message):
        check_freshness(broken, runner, now=NOON)
