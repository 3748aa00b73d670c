"""The number of rows against what it used to be: a seasonal baseline, robust against outliers."""

from __future__ import annotations

from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from airflow_dataops.core.arguments import count
from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.health.judging import verdict
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.loads.settings import OneOf, default
from airflow_dataops.core.quality.check import Check, Number, Scene
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_NORMAL = 1.4826
"""The standard deviation of a normal distribution in its median absolute deviations."""


class Season(StrEnum):
    """Which earlier counts are like the present one."""

    NONE = "none"
    WEEKDAY = "weekday"
    HOUR = "hour"
    """Of the same hour of the day, in UTC."""


class Baseline(NamedTuple):
    """What a count used to be: the middle, and the bounds of what is usual."""

    middle: float
    low: float
    high: float


class RowCountHistory(Check, frozen=True, kw_only=True):
    """The number of rows is as it used to be, as far as the ledger remembers.

    Attributes:
        season: which earlier counts it is compared with.
        min_points: with fewer of them nothing is judged: the count is kept, and passes.
        max_points: so many of the newest are looked at.
        deviations: how many standard deviations, estimated by the median absolute deviation,
            a count may be away from the median.
        tolerance: a share of the median that it may always be away.
        warn_only: whether a count beyond only speaks.
    """

    of_rows: ClassVar[bool] = False

    season: OneOf[Season] = default(Season.WEEKDAY)
    min_points: int = 4
    max_points: int = 30
    deviations: Number = 3
    tolerance: Number = 0.1
    warn_only: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        count(self.min_points, "min_points", least=1)
        count(self.max_points, "max_points", least=self.min_points)
        for what in ("deviations", "tolerance"):
            value = getattr(self, what)
            if isinstance(value, bool) or not isinstance(value, float | int) or not value >= 0:
                raise ConfigError(f"{what}={value!r}: write a number from 0 on.")

    def _title(self) -> str:
        return "row_count_history"

    def aggregate(self, scene: Scene) -> Statement:
        """Count the rows."""
        return Statement(sql="count(*)")

    def judge(self, value: Any, rows: int, scene: Scene) -> Verdict:
        """Compare the count with the baseline."""
        points = alike(scene.past.get(self.title, ()), scene.now, self.season)[-self.max_points :]
        if len(points) < self.min_points:
            message = (
                f"{rows:,} rows; {len(points)} of {self.min_points} earlier counts are known, "
                "too few to compare with."
            )
            return verdict(scene.health, self.title, Status.PASS, message, value=float(rows))
        usual = baseline(points, float(self.deviations), float(self.tolerance))
        inside = usual.low <= rows <= usual.high
        beyond = Status.WARN if self.warn_only else Status.FAIL
        return verdict(
            scene.health,
            self.title,
            Status.PASS if inside else beyond,
            f"{rows:,} rows; the median of {len(points)} earlier counts is {usual.middle:,.0f}.",
            value=float(rows),
            expected=f"{usual.low:,.0f} to {usual.high:,.0f} rows",
        )


def alike(points: Sequence[tuple[datetime, float]], now: datetime, season: Season) -> list[float]:
    """Return the earlier counts of the same season, oldest first."""

    def key(at: datetime) -> int:
        local = at.astimezone(now.tzinfo)
        return {Season.WEEKDAY: local.weekday(), Season.HOUR: local.hour}.get(season, 0)

    return [value for at, value in points if key(at) == key(now)]


def baseline(points: Sequence[float], deviations: float, tolerance: float) -> Baseline:
    """Return what counts used to be.

    None is never usual where there always was one: however much counts vary.
    """
    middle = median(points)
    spread = _NORMAL * median(abs(each - middle) for each in points)
    away = max(deviations * spread, tolerance * middle)
    least = 1.0 if min(points) > 0 else 0.0
    return Baseline(middle=middle, low=max(middle - away, least), high=middle + away)
