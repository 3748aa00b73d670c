"""Events of one process, waiting and then added up by series."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING

from airflow_dataops.core.metrics.batch import Batch, Series, Timing
from airflow_dataops.core.metrics.catalogue import DROPPED, Kind
from airflow_dataops.core.metrics.tags import LONGEST_NAME, clean_key, clean_name

if TYPE_CHECKING:
    from airflow_dataops.adapters.metrics.reporting import Reporter
    from airflow_dataops.core.metrics.settings import MetricSettings

WAITING = 1_000
"""At this length of the queue whoever adds to it empties it: some 2 ms, once in 1,000 times."""
FULL = 50_000
"""At this length, reached only while somebody else is stuck in emptying it, events are dropped."""
_PATIENCE = 0.002


Event = tuple[str, str, float, tuple[tuple[str, str], ...]]
"""One measurement: kind, name, value, tags; a plain tuple, made thousands of times."""


class Gathering:
    """Takes events from any thread and from signal handlers, without ever waiting for a sink.

    Adding is one append to a deque. The sum is made in the thread of a sink, or, when the queue
    is long, by whoever adds to it: so memory is bounded and nothing is lost however slow the
    sinks are.
    """

    def __init__(self, settings: MetricSettings, reporter: Reporter) -> None:
        self._policy = settings.policy
        self._max_series = settings.max_series
        self._reporter = reporter
        self._events: deque[Event] = deque()
        self._lock = threading.Lock()
        self._batch = Batch()
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = {}
        self._dropped = 0

    def add(self, event: Event) -> None:
        """Add one event."""
        events = self._events
        if len(events) >= WAITING and not self.settle(_PATIENCE) and len(events) >= FULL:
            self._dropped += 1
            return
        events.append(event)

    def settle(self, patience: float = -1) -> bool:
        """Add up what waits; return whether that was possible within `patience` seconds."""
        if not self._lock.acquire(timeout=patience):
            return False
        try:
            self._settle()
        finally:
            self._lock.release()
        return True

    def take(self) -> Batch:
        """Return the sums of all events so far, and start anew."""
        with self._lock:
            self._settle()
            batch, self._batch = self._batch, Batch()
            return batch

    def _settle(self) -> None:
        for _ in range(len(self._events)):
            try:
                event = self._events.popleft()
            except IndexError:
                break
            self._sum(event)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._count_dropped("full", dropped)

    def _sum(self, event: Event) -> None:
        kind, name, value, tags = event
        if not math.isfinite(value):
            self._refuse(kind, name)
            return
        series = self._series(name, tags)
        batch = self._batch
        if kind == Kind.COUNTER:
            batch.counters[series] = batch.counters.get(series, 0) + value
        elif kind == Kind.GAUGE:
            batch.gauges[series] = value
        else:
            timing = batch.timings.get(series)
            if timing is None:
                timing = batch.timings[series] = Timing()
            timing.add(value)

    def _refuse(self, kind: str, name: str) -> None:
        self._count_dropped("invalid", 1)
        self._reporter.once(
            ("value", name),
            "Metric %s: a value was dropped; a %s takes a finite number%s.",
            clean_name(name),
            kind,
            "" if kind == Kind.GAUGE else " that is 0 or more",
        )

    def _series(self, name: str, tags: tuple[tuple[str, str], ...]) -> Series:
        known = self._known.get((name, tags))
        if known is not None:
            return known
        series = Series(clean_name(name), self._policy.apply(tags))
        self._report_cleaning(name, series, tags)
        if len(self._known) < self._max_series:
            self._known[name, tags] = series
            return series
        self._reporter.once(
            ("series",),
            "More than %d series of metrics in this process (the newest is %s); what comes on "
            "top is added up under its name without tags. Take away tags with many values: "
            "[dataops] metrics_deny_tags, or raise metrics_max_series.",
            self._max_series,
            series.name,
        )
        return Series(series.name, (("series", "other"),))

    def _report_cleaning(
        self, name: str, series: Series, tags: tuple[tuple[str, str], ...]
    ) -> None:
        if name != series.name:
            self._reporter.once(
                ("name", series.name),
                "Metric %r has characters or a length that not every sink takes; it is sent as %s.",
                name[:LONGEST_NAME],
                series.name,
            )
        sent = dict(series.tags)
        for key, value in tags:
            if (clean := clean_key(key)) not in sent or (clean, sent[clean]) == (key, value):
                continue
            self._reporter.once(
                ("tag", series.name, clean),
                "Metric %s: tag %r has characters or a length that not every sink takes; it is "
                "sent as %s=%s.",
                series.name,
                key,
                clean,
                sent[clean],
            )

    def _count_dropped(self, reason: str, number: int) -> None:
        series = Series(DROPPED.name, (("reason", reason),))
        self._batch.counters[series] = self._batch.counters.get(series, 0) + number
