"""Hours and days, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from airflow_dataops.core.alerts.times import first_outside, on_day, parse_hours, within
from airflow_dataops.errors import ConfigError

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = date(2026, 11, 20)


def berlin(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (berlin(20, 21, 59), False),
        (berlin(20, 22), True),
        (berlin(21, 6, 59), True),
        (berlin(21, 7), False),
    ],
)
def test_hours_over_midnight(at: datetime, inside: bool) -> None:
    assert within(at, "22:00-07:00", (), BERLIN, ()) is inside


def test_hours_over_midnight_belong_to_the_day_they_start() -> None:
    """Friday's night reaches into Saturday; Saturday's own is not asked for."""
    assert within(berlin(21, 3), "22:00-07:00", ("fri",), BERLIN, ())
    assert not within(berlin(21, 23), "22:00-07:00", ("fri",), BERLIN, ())


@pytest.mark.parametrize(
    ("days", "is_so"),
    [
        ((), True),
        (("fri",), True),
        (("Fri", "sat"), True),
        (("sat",), False),
        (("workdays",), True),
        (("weekend",), False),
    ],
)
def test_days(days: tuple[str, ...], is_so: bool) -> None:
    assert on_day(FRIDAY, days, ()) is is_so


def test_a_holiday_is_no_workday() -> None:
    assert not on_day(FRIDAY, ("workdays",), (FRIDAY,))
    assert on_day(FRIDAY, ("holidays",), (FRIDAY,))


@pytest.mark.parametrize(
    ("at", "hours", "days", "free"),
    [
        (berlin(20, 12), "22:00-07:00", (), berlin(20, 12)),
        (berlin(20, 23), "22:00-07:00", (), berlin(21, 7)),
        (berlin(21, 10), "", ("weekend",), berlin(23, 0)),
        # The clocks go back in the night of 25 October 2026, forward on 29 March.
        (berlin(24, 23, month=10), "22:00-07:00", (), berlin(25, 7, month=10)),
        (berlin(28, 23, month=3), "22:00-07:00", (), berlin(29, 7, month=3)),
    ],
)
def test_the_first_moment_outside(
    at: datetime, hours: str, days: tuple[str, ...], free: datetime
) -> None:
    assert first_outside(at, hours, days, BERLIN, ()) == free.astimezone(UTC)


def test_hours_that_never_end_do_not_lose_a_message() -> None:
    assert first_outside(berlin(20, 12), "", (), BERLIN, ()) == berlin(20, 12)


@pytest.mark.parametrize("text", ["7-8", "25:00-26:00", "10:00-10:00", "", "10:61-11:00"])
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_hours(text)
