"""When a run, or what is in it, is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_dataops.core.sla.policies import (
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    MaxAge,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date

    from airflow_dataops.core.sla.facts import RunFacts
    from airflow_dataops.core.sla.policies import Due


def due_of(due: Due, run: RunFacts, began: datetime | None = None) -> datetime | None:
    """Return when something in a run is due; None when it owes nothing, or not yet.

    Args:
        began: when the subject itself began: its first try.

    Raises:
        ConfigError: there is no such time zone.
    """
    if isinstance(due, ByTime):
        return by_time(due, complete_at(run))
    if isinstance(due, MaxAge):
        return None
    starts = {
        AfterInterval: complete_at(run),
        AfterRunStart: run.started_at,
        AfterTaskStart: began,
    }
    start = starts[type(due)]
    return None if start is None else start + timedelta(minutes=due.minutes)


def complete_at(run: RunFacts) -> datetime:
    """Return when the data of a run is complete: the end of its interval, else its due start."""
    return run.data_interval_end or run.run_after


def by_time(due: ByTime, after: datetime) -> datetime | None:
    """Return the first such time on the clock that is not before `after`, in its time zone.

    None when its day is not in the calendar.
    """
    zone = zone_of(due.timezone)
    day = after.astimezone(zone).date()
    moment = _on(day, due, zone)
    if moment < after:
        day += timedelta(days=1)
        moment = _on(day, due, zone)
    return moment if day in due.calendar else None


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise ConfigError(
            f"{name!r} is no time zone; use an IANA name such as 'Europe/Berlin'."
        ) from None


def _on(day: date, due: ByTime, zone: ZoneInfo) -> datetime:
    # Through UTC: a time that the clock leaves out becomes one that it has.
    moment = datetime.combine(day, due.at, zone).astimezone(UTC).astimezone(zone)
    # With a fixed offset: Python calls a time that the clock has twice unequal to itself in UTC.
    return moment.replace(tzinfo=timezone(moment.utcoffset() or timedelta(), moment.tzname() or ""))
