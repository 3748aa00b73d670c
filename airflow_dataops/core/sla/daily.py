"""SLAs by a time of the day where no schedule says when runs are due: each day owes one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.due import by_time, zone_of

if TYPE_CHECKING:
    from airflow_dataops.core.sla.policies import ByTime

_NIGHT = timedelta(hours=12)


class Occasion(Struct, frozen=True):
    """A day's due time, and since when a run counts for it."""

    since: datetime
    due: datetime


def occasions(due: ByTime, after: datetime, until: datetime) -> list[Occasion]:
    """Return the due times after one moment and until another, oldest first.

    A run counts for a day if it begins since midnight, or in the twelve hours before it is due,
    so that one of the evening before is in time for the morning.

    Raises:
        ConfigError: there is no such time zone.
    """
    zone = zone_of(due.timezone)
    day, last = after.astimezone(zone).date(), until.astimezone(zone).date()
    found = []
    while day <= last:
        midnight = datetime.combine(day, time(), zone)
        at = by_time(due, midnight)
        if at is not None and after < at <= until:
            found.append(Occasion(since=min(midnight, at - _NIGHT), due=at))
        day += timedelta(days=1)
    return found
