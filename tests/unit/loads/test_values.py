"""Values of partitions and cursors."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from airflow_dataops.core.loads.choices import EmptiedTarget
from airflow_dataops.core.loads.cursors import (
    before,
    read_cursor,
    read_scope,
    write_cursor,
    write_scope,
)
from airflow_dataops.core.loads.specs import Append, Attempt, Drift, Load
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import ConfigError, RunError

NAIVE, AWARE = "timestamp without time zone", "timestamp with time zone"
NOON = datetime(2026, 3, 1, 12)


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("2026-03-01", "date", date(2026, 3, 1)),
        ("2026-03-01T02:00:00+02:00", "date", date(2026, 3, 1)),
        ("2026-03-01", NAIVE, datetime(2026, 3, 1)),
        (NOON, NAIVE, NOON),
        (NOON, AWARE, NOON.replace(tzinfo=UTC)),
        (NOON.replace(tzinfo=timezone(timedelta(hours=2))), NAIVE, datetime(2026, 3, 1, 10)),
        ("2026-03-01T12:00:00Z", NAIVE, NOON),
        (None, "date", None),
        ("2026-03-01", "text", "2026-03-01"),
        (5, "integer", 5),
    ],
)
def test_values_become_what_the_column_holds(value: object, type_: str, expected: object) -> None:
    assert adapt(value, "at", type_, "postgres") == expected


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", 7])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="write it like 2026-03-01"):
        adapt(value, "day", "date", "postgres")


@pytest.mark.parametrize(
    "cursor",
    [0, -7, 10**30, Decimal("1.50"), Decimal("2.0"), date(2026, 3, 1), NOON],
    ids=str,
)
def test_cursors_come_back_as_they_were(cursor: object) -> None:
    found = read_cursor(write_cursor(cursor, "at"))
    assert (found, type(found)) == (cursor, type(cursor))


def test_cursors_with_a_zone_are_kept_in_utc() -> None:
    moment = NOON.replace(tzinfo=timezone(timedelta(hours=2)))
    assert write_cursor(moment, "at") == "2026-03-01T10:00:00.000000+00:00"
    assert read_cursor(write_cursor(moment, "at")) == moment


@pytest.mark.parametrize("value", ["01J8", True, b"x", None])
def test_cursors_are_numbers_or_times(value: object) -> None:
    with pytest.raises(RunError, match="a cursor is a number or a time"):
        write_cursor(value, "at")


def test_a_watermark_that_someone_wrote_is_named() -> None:
    with pytest.raises(RunError, match="'soon' in the table of watermarks"):
        read_cursor("soon")


@pytest.mark.parametrize(
    ("cursor", "lag", "expected"),
    [
        (10, 3, 7),
        (Decimal("1.5"), 0.25, Decimal("1.25")),
        (NOON, timedelta(hours=1), datetime(2026, 3, 1, 11)),
        (date(2026, 3, 1), timedelta(hours=1), date(2026, 2, 28)),
        (date(2026, 3, 1), timedelta(), date(2026, 3, 1)),
        (NOON, 0, NOON),
    ],
)
def test_a_lag_goes_back(cursor: object, lag: timedelta | float, expected: object) -> None:
    assert before(cursor, lag, "at") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("cursor", "lag"), [(10, timedelta(1)), (NOON, 3)])
def test_a_lag_of_another_kind_is_refused(cursor: object, lag: timedelta | float) -> None:
    with pytest.raises(ConfigError, match="give a timedelta for a time"):
        before(cursor, lag, "at")  # type: ignore[arg-type]


def test_scopes_come_back_and_do_not_run_together() -> None:
    scopes = [(), ("a", None), (None, "a"), ("a,b",), ("a", "b"), (1,), ("1",), (date(2026, 1, 2),)]
    texts = [write_scope(scope) for scope in scopes]
    assert len(set(texts)) == len(scopes)
    assert [read_scope(text) for text in texts] == scopes


def test_words_of_a_load_are_members_of_their_enum() -> None:
    """A text that is no member would be taken for another choice."""
    attempt, target = Attempt(owner="a.b", run_id="r"), Relation(identifier="t")
    load = Load(target, Append(), attempt, drift="add", emptied_target="fail")
    assert load.drift is Drift.ADD
    assert load.emptied_target is EmptiedTarget.FAIL
    with pytest.raises(ConfigError, match="drift"):
        Load(target, Append(), attempt, drift="ad")
