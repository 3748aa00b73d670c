"""When something is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from airflow_dataops.core.sla.due import by_time, due_of, zone_of
from airflow_dataops.core.sla.facts import RunFacts
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    Calendar,
    RunType,
)
from airflow_dataops.errors import ConfigError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def run(**fields: datetime) -> RunFacts:
    return RunFacts(
        **{
            "dag_id": "sales",
            "run_id": "r",
            "run_type": RunType.SCHEDULED,
            "run_after": at("2026-02-03T00:00"),
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("complete", "due"),
    [
        ("2026-02-03T00:00", "2026-02-03T06:00"),  # 07:00 in Berlin is 06:00 UTC
        ("2026-02-03T06:00", "2026-02-03T06:00"),  # due when it is complete
        ("2026-02-03T06:01", "2026-02-04T06:00"),
        ("2026-02-02T23:30", "2026-02-03T06:00"),  # already the 3rd in Berlin
    ],
)
def test_the_first_such_time_after_the_data_is_complete(complete: str, due: str) -> None:
    seven = ByTime(at=time(7), timezone="Europe/Berlin")
    assert by_time(seven, at(complete)) == at(due)


def test_business_days() -> None:
    seven = ByTime(at=time(7), calendar=Calendar(days=BUSINESS_DAYS))
    assert by_time(seven, at("2026-02-06T00:00")) == at("2026-02-06T07:00")  # a Friday
    assert by_time(seven, at("2026-02-07T00:00")) is None
    assert by_time(seven, at("2026-02-06T08:00")) is None  # would be Saturday


def test_holidays() -> None:
    off = Calendar(holidays=(date(2026, 12, 25),))
    assert by_time(ByTime(at=time(7), calendar=off), at("2026-12-25T00:00")) is None


@pytest.mark.parametrize(
    ("day", "due"),
    [
        # https://www.iana.org/time-zones: Berlin left out 02:00 to 03:00 on 2026-03-29 and had
        # 02:00 to 03:00 twice on 2026-10-25.
        ("2026-03-28T23:30", "2026-03-29T01:30"),
        ("2026-10-24T23:30", "2026-10-25T00:30"),
    ],
)
def test_changes_of_the_clock(day: str, due: str) -> None:
    assert by_time(ByTime(at=time(2, 30), timezone="Europe/Berlin"), at(day)) == at(due)


def test_minutes_after_the_interval_the_run_and_the_task() -> None:
    known = run(data_interval_end=at("2026-02-03T01:00"), started_at=at("2026-02-03T01:05"))
    assert due_of(AfterInterval(minutes=30), known) == at("2026-02-03T01:30")
    assert due_of(AfterInterval(minutes=30), run()) == at("2026-02-03T00:30")
    assert due_of(AfterRunStart(minutes=30), known) == at("2026-02-03T01:35")
    assert due_of(AfterRunStart(minutes=30), run()) is None
    began = at("2026-02-03T02:00")
    assert due_of(AfterTaskStart(minutes=30), known, began) == at("2026-02-03T02:30")
    assert due_of(AfterTaskStart(minutes=30), known) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ConfigError, match="no time zone"):
        zone_of(name)
