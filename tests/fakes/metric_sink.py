"""Sinks that remember, fail, or hang, as they are told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from airflow_dataops.core.metrics.batch import Batch

if TYPE_CHECKING:
    from airflow_dataops.core.metrics.batch import Timing


class FakeSink:
    """Keeps the sums of all batches.

    Attributes:
        failing: raised by each send while it is set.
        gate: each send waits for it.
    """

    def __init__(self, limit: int = 1000, failing: Exception | None = None) -> None:
        self.limit = limit
        self.failing = failing
        self.gate = threading.Event()
        self.gate.set()
        self.sent = Batch()
        self.sends = 0

    def send(self, batch: Batch) -> None:
        self.sends += 1
        self.gate.wait()
        if self.failing is not None:
            raise self.failing
        self.sent.merge(batch)

    def total(self, name: str) -> float:
        return sum(value for series, value in self.sent.counters.items() if series.name == name)

    def timings(self, name: str) -> list[Timing]:
        return [timing for series, timing in self.sent.timings.items() if series.name == name]
