"""How well an SLA was kept over time: rates by period, error budget, change, suggestion."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime
from statistics import fmean, variance
from typing import TYPE_CHECKING

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.predict import suggested_minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_FEW = 5
"""Observations on each side of a change."""
_CLEAR = 4.0
"""Welch's t above which two means are called different."""
_WORSE = 1.2
"""Of two means, how many times the first the second must be to matter."""


class Outcome(Struct, frozen=True):
    """One time that an SLA was kept or not. `minutes` is how long it took, where it did.

    One that is not `judged` was due while nobody watched: it is neither.
    """

    at: datetime
    kept: bool
    minutes: float | None = None
    judged: bool = True


class Period(Struct, frozen=True, omit_defaults=False):
    """How many of the SLAs due in a period were kept; `rate` is in percent."""

    period: str
    total: int
    kept: int
    rate: float


class Budget(Struct, frozen=True, omit_defaults=False):
    """How many misses the target allows, and how many of them are left (below 0: overspent)."""

    allowed: float
    used: int
    left: float


class Change(Struct, frozen=True, omit_defaults=False):
    """Since when it takes longer, or less long; means in minutes."""

    at: datetime
    before: float
    after: float


class Compliance(Struct, frozen=True, omit_defaults=False):
    """How one SLA was kept.

    Attributes:
        rate: percent of those that were judged; None where none was.
        not_judged: how many were due while nobody watched.
        trend: percentage points between the first and the second half of the time.
        change: where the durations clearly changed, if they did; `degraded` if for the worse.
        suggested_minutes: what the history suggests as an SLA: 20 to 30 % above its 95th
            percentile.
    """

    subject: str
    sla: str
    total: int
    kept: int
    rate: float | None
    budget: Budget
    by_day: tuple[Period, ...]
    by_week: tuple[Period, ...]
    by_month: tuple[Period, ...]
    trend: float | None
    change: Change | None
    degraded: bool
    suggested_minutes: tuple[float, float] | None
    not_judged: int = 0


def compliance(
    subject: str, sla: str, outcomes: Iterable[Outcome], *, target_percent: float
) -> Compliance:
    """Sum up outcomes. Periods are of UTC; a week is ISO's, such as `2024-W13`."""
    given = list(outcomes)
    found = sorted((each for each in given if each.judged), key=lambda outcome: outcome.at)
    kept = sum(outcome.kept for outcome in found)
    change = change_point(found)
    allowed = len(found) * (1 - target_percent / 100)
    seconds = [outcome.minutes * 60 for outcome in found if outcome.minutes is not None]
    suggested = suggested_minutes(seconds)
    return Compliance(
        subject=subject,
        sla=sla,
        total=len(found),
        kept=kept,
        rate=_rate(found),
        budget=Budget(
            allowed=round(allowed, 2),
            used=len(found) - kept,
            left=round(allowed - (len(found) - kept), 2),
        ),
        by_day=_periods(found, lambda at: f"{at:%Y-%m-%d}"),
        by_week=_periods(found, lambda at: f"{at:%G-W%V}"),
        by_month=_periods(found, lambda at: f"{at:%Y-%m}"),
        trend=_trend(found),
        change=change,
        degraded=change is not None and change.after >= change.before * _WORSE,
        suggested_minutes=suggested and (round(suggested[0], 1), round(suggested[1], 1)),
        not_judged=len(given) - len(found),
    )


def change_point(outcomes: Sequence[Outcome]) -> Change | None:
    """Return where the durations change the most, if clearly.

    Every split that leaves five on each side is tried; the one with the greatest Welch's t
    counts if that is 4 or more and the means differ by a fifth.

    Args:
        outcomes: in order of time.
    """
    timed = [(each.at, each.minutes) for each in outcomes if each.minutes is not None]
    values = [minutes for _, minutes in timed]
    splits = range(_FEW, len(values) - _FEW + 1)
    best = max(splits, key=lambda split: _welch(values[:split], values[split:]), default=None)
    if best is None or _welch(values[:best], values[best:]) < _CLEAR:
        return None
    before, after = fmean(values[:best]), fmean(values[best:])
    low, high = sorted((before, after))
    if high < low * _WORSE:
        return None
    return Change(at=timed[best][0], before=round(before, 2), after=round(after, 2))


def _welch(first: Sequence[float], second: Sequence[float]) -> float:
    spread = variance(first) / len(first) + variance(second) / len(second)
    gap = abs(fmean(first) - fmean(second))
    if not spread:
        return math.inf if gap else 0.0
    return gap / math.sqrt(spread)


def _periods(outcomes: Sequence[Outcome], name: Callable[[datetime], str]) -> tuple[Period, ...]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[name(outcome.at)].append(outcome)
    return tuple(
        Period(
            period=period,
            total=len(group),
            kept=sum(outcome.kept for outcome in group),
            rate=_rate(group) or 0.0,
        )
        for period, group in groups.items()
    )


def _rate(outcomes: Sequence[Outcome]) -> float | None:
    if not outcomes:
        return None
    return round(100 * sum(outcome.kept for outcome in outcomes) / len(outcomes), 2)


def _trend(outcomes: Sequence[Outcome]) -> float | None:
    half = len(outcomes) // 2
    first, second = _rate(outcomes[:half]), _rate(outcomes[half:])
    return None if first is None or second is None else round(second - first, 2)
