"""Hours, days and zones of the alerts file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_dataops.errors import ConfigError

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = (*_WEEK, "workdays", "weekend", "holidays")
_HOURS = re.compile(r"^(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)$")


def parse_zone(name: str) -> ZoneInfo:
    """Return an IANA time zone.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConfigError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from None


def parse_hours(text: str) -> tuple[time, time]:
    """Read `22:00-07:00` as start and end; `24:00` is the end of the day.

    Raises:
        ConfigError: it is not written so, or both are the same.
    """
    found = _HOURS.match(text.strip())
    if found is None:
        raise ConfigError(f"{text!r} are no hours; write 22:00-07:00")
    first, second, third, fourth = map(int, found.groups())
    if (third, fourth) == (24, 0):
        third = 0
    try:
        start, end = time(first, second), time(third, fourth)
    except ValueError:
        raise ConfigError(f"{text!r}: there is no such time; write 22:00-07:00") from None
    if start == end and "24" not in text:
        raise ConfigError(f"{text!r} starts when it ends; leave it out for the whole day")
    return start, end


def on_day(day: date, days: tuple[str, ...], holidays: tuple[date, ...]) -> bool:
    """Tell whether a day is one of those named; none named means every day."""
    wanted = {name.lower() for name in days}
    if not wanted:
        return True
    names = {_WEEK[day.weekday()], "weekend" if day.weekday() > 4 else "weekday"}
    if day in holidays:
        names.add("holidays")
    elif "weekday" in names:
        names.add("workdays")
    return bool(names & wanted)


def within(
    at: datetime, hours: str, days: tuple[str, ...], zone: ZoneInfo, holidays: tuple[date, ...]
) -> bool:
    """Tell whether a moment lies in these hours of these days.

    Hours over midnight belong to the day on which they start.
    """
    local = at.astimezone(zone)
    if not hours:
        return on_day(local.date(), days, holidays)
    start, end = parse_hours(hours)
    today, now = local.date(), local.time()
    if start < end:
        return start <= now < end and on_day(today, days, holidays)
    if now >= start:
        return on_day(today, days, holidays)
    return now < end and on_day(today - timedelta(days=1), days, holidays)


def first_outside(
    at: datetime, hours: str, days: tuple[str, ...], zone: ZoneInfo, holidays: tuple[date, ...]
) -> datetime:
    """Return the first moment from `at` on that does not lie in these hours, in UTC.

    Where there is none within a year, return `at`: a message is rather told than lost.
    """
    candidate = at
    for _ in range(800):
        if not within(candidate, hours, days, zone, holidays):
            return candidate.astimezone(UTC)
        candidate = _next_edge(candidate.astimezone(zone), hours, zone)
    return at


def _next_edge(local: datetime, hours: str, zone: ZoneInfo) -> datetime:
    """Return the next midnight or end of the hours, whichever comes first."""
    edges = [time(0)] + ([parse_hours(hours)[1]] if hours else [])
    days = (local.date(), local.date() + timedelta(days=1))
    moments = [datetime.combine(day, edge, zone).astimezone(UTC) for day in days for edge in edges]
    return min(moment for moment in moments if moment > local.astimezone(UTC))
