"""What an SLA is called unless its author says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sla.policies import (
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    MaxAge,
)

if TYPE_CHECKING:
    from airflow_dataops.core.sla.policies import Due


def default_name(due: Due) -> str:
    """Name an SLA by its due time, such as `by 07:00 Europe/Berlin`."""
    if isinstance(due, ByTime):
        at = f"{due.at:%H:%M:%S}" if due.at.second else f"{due.at:%H:%M}"
        return f"by {at} {due.timezone}"
    long = shown(due.minutes)
    return {
        AfterInterval: f"{long} after the data interval",
        AfterRunStart: f"{long} after the run's start",
        AfterTaskStart: f"within {long}",
        MaxAge: f"at most {long} old",
    }[type(due)]


def shown(minutes: float) -> str:
    """Write a duration for a reader: `90 min`, `2 h`, `45 s`."""
    if minutes < 1:
        return f"{minutes * 60:g} s"
    return f"{minutes / 60:g} h" if minutes % 60 == 0 else f"{minutes:g} min"
