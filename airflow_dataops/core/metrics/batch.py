"""Measurements added up by series, so that memory grows with series and not with events."""

from __future__ import annotations

import random
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.metrics.tags import Tags

BUCKETS = (
    *(0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0),
)
"""Upper bounds, in seconds, of the buckets of a timing; the last bucket has none."""

KEPT_VALUES = 100
"""So many single values of a timing are kept between two sends; CloudWatch takes 150."""


class Series(NamedTuple):
    """What tells one series from another."""

    name: str
    tags: Tags


class Timing:
    """The distribution of some seconds.

    Attributes:
        count, total, least, greatest: of all values.
        buckets: how many values are in each of `BUCKETS` and above, not cumulated.
        values: the values themselves, a fair sample of them when there were more than 100.
    """

    __slots__ = ("buckets", "count", "greatest", "least", "total", "values")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = float("inf")
        self.greatest = float("-inf")
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.values: list[float] = []

    def add(self, seconds: float) -> None:
        """Add one value."""
        self.count += 1
        self.total += seconds
        self.least = min(self.least, seconds)
        self.greatest = max(self.greatest, seconds)
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self._keep(seconds, self.count)

    def merge(self, later: Timing) -> None:
        """Add all values of another one."""
        before = self.count
        self.count += later.count
        self.total += later.total
        self.least = min(self.least, later.least)
        self.greatest = max(self.greatest, later.greatest)
        self.buckets = [a + b for a, b in zip(self.buckets, later.buckets, strict=True)]
        for number, value in enumerate(later.values, before + 1):
            self._keep(value, number)

    def _keep(self, value: float, number: int) -> None:
        """Keep a sample in which each value is as likely (reservoir sampling, Vitter 1985)."""
        if len(self.values) < KEPT_VALUES:
            self.values.append(value)
        elif (place := random.randrange(number)) < KEPT_VALUES:  # noqa: S311 - not a secret
            self.values[place] = value

    @property
    def is_complete(self) -> bool:
        """Whether `values` has all of them."""
        return len(self.values) == self.count

    def copy(self) -> Timing:
        """Return one that can be added to."""
        other = Timing()
        other.merge(self)
        return other


class Batch:
    """What was measured between two sends.

    Attributes:
        counters: what was added to each series.
        gauges: the last value of each series.
        timings: the distribution of each series.
    """

    __slots__ = ("counters", "gauges", "timings")

    def __init__(self) -> None:
        self.counters: dict[Series, float] = {}
        self.gauges: dict[Series, float] = {}
        self.timings: dict[Series, Timing] = {}

    def __len__(self) -> int:
        return len(self.counters) + len(self.gauges) + len(self.timings)

    def merge(self, later: Batch) -> None:
        """Add what was measured later; it stays as it is."""
        for series, value in later.counters.items():
            self.counters[series] = self.counters.get(series, 0) + value
        self.gauges.update(later.gauges)
        for series, timing in later.timings.items():
            mine = self.timings.get(series)
            if mine is None:
                self.timings[series] = timing.copy()
            else:
                mine.merge(timing)

    def split(self, most: int) -> Iterator[Batch]:
        """Yield batches of at most so many series."""
        part = Batch()
        for name in self.__slots__:
            for series, value in getattr(self, name).items():
                getattr(part, name)[series] = value
                if len(part) == most:
                    yield part
                    part = Batch()
        if len(part):
            yield part
