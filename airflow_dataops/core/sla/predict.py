"""How long it will take, by how long it took before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 5
"""So many earlier runs are needed to predict anything."""
_BUFFER = (1.2, 1.3)
"""The guide's 20 to 30 % above what is usual."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed, by linear interpolation.

    It is the inclusive method of `statistics.quantiles` (Hyndman and Fan's type 7).

    Args:
        values: at least one.
        percent: 0 to 100.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def predicted_end(
    began: datetime, durations: Sequence[float], percent: float, now: datetime
) -> datetime | None:
    """Return when something that is under way will probably be done; None with little history.

    Args:
        durations: of earlier runs, seconds.
        percent: the percentile of them to go by.
    """
    if len(durations) < _LEAST:
        return None
    return max(began + timedelta(seconds=percentile(durations, percent)), now)


def suggested_minutes(durations: Sequence[float]) -> tuple[float, float] | None:
    """Return the SLA that a history suggests, in minutes: 20 to 30 % above its 95th percentile.

    None with little history.
    """
    if len(durations) < _LEAST:
        return None
    usual = percentile(durations, 95) / 60
    return usual * _BUFFER[0], usual * _BUFFER[1]
