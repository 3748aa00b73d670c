"""One thread per sink: what one of them does, slowly or wrongly, no other one feels."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from airflow_dataops.core.masking import mask
from airflow_dataops.core.metrics.batch import Batch
from airflow_dataops.errors import DataOpsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.adapters.metrics.reporting import Reporter
    from airflow_dataops.core.ports import MetricSink

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_SLOW = 10.0


class Sender:
    """Opens one sink and feeds it.

    What a sink did not take is kept, added up by series, until it takes it: its size is bounded
    by the number of series.

    Args:
        name: how the sink is called in the log.
        open_: makes the sink; called in the thread, again after it failed.
    """

    def __init__(self, name: str, open_: Callable[[], MetricSink], reporter: Reporter) -> None:
        self.name = name
        self._open = open_
        self._reporter = reporter
        self._sink: MetricSink | None = None
        self._pending = Batch()
        self._in_hand = Batch()
        self._lock = threading.Lock()
        self._rounds = threading.Condition()
        self._asked = self._done = 0
        self._busy_since: float | None = None
        self._pause = 0.0
        self._not_before = 0.0

    def start(self) -> None:
        """Start the thread; it dies with the process."""
        threading.Thread(target=self._run, name=f"metrics {self.name}", daemon=True).start()

    def give(self, batch: Batch) -> None:
        """Add to what is to be sent."""
        with self._lock:
            self._pending.merge(batch)

    def nudge(self) -> None:
        """Have it sent soon, unless the sink failed a moment ago; report one that hangs."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > _SLOW:
            self.report_slow(_SLOW)
        if len(self._pending) and time.monotonic() >= self._not_before:
            self.ask()

    def ask(self) -> int:
        """Have all of it sent now; return what to wait for."""
        with self._rounds:
            self._asked += 1
            self._rounds.notify_all()
            return self._asked

    def wait(self, ticket: int, deadline: float) -> bool:
        """Wait until what was asked for has been tried, well or not, or until the deadline."""
        with self._rounds:
            return self._rounds.wait_for(
                lambda: self._done >= ticket, max(0.0, deadline - time.monotonic())
            )

    def unsent(self) -> int:
        """Count the series that wait for the sink."""
        with self._lock:
            return len(self._pending) + len(self._in_hand)

    def report_slow(self, seconds: float) -> None:
        """Say once that the sink does not answer."""
        self._reporter.once(
            ("sink", self.name),
            "Metrics sink %s does not work, tasks go on without it: no answer within %g s",
            self.name,
            seconds,
        )

    def _run(self) -> None:
        while True:
            with self._rounds:
                self._rounds.wait_for(lambda: self._asked > self._done)
                asked = self._asked
            self._busy_since = time.monotonic()
            self._send_all()
            self._busy_since = None
            with self._rounds:
                self._done = asked
                self._rounds.notify_all()

    def _send_all(self) -> None:
        with self._lock:
            self._in_hand, self._pending = self._pending, Batch()
        try:
            if len(self._in_hand) and self._sink is None:
                self._sink = self._open()
            self._send_parts()
        except Exception as error:  # noqa: BLE001 - a sink may be anybody's code
            self._failed(error)
        else:
            self._worked()

    def _send_parts(self) -> None:
        if self._sink is None:
            return
        for part in list(self._in_hand.split(self._sink.limit)):
            self._sink.send(part)
            with self._lock:
                self._in_hand = _without(self._in_hand, part)

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._in_hand.merge(self._pending)
            self._pending, self._in_hand = self._in_hand, Batch()
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _FIRST_PAUSE)
        self._not_before = time.monotonic() + self._pause
        self._reporter.once(
            ("sink", self.name),
            "Metrics sink %s does not work, tasks go on without it: %s",
            self.name,
            _said(error),
        )

    def _worked(self) -> None:
        if self._pause:
            self._pause = self._not_before = 0.0
            self._reporter.again(
                ("sink", self.name), "Metrics sink %s works again; nothing was lost.", self.name
            )


def _without(batch: Batch, sent: Batch) -> Batch:
    left = Batch()
    left.counters = {s: v for s, v in batch.counters.items() if s not in sent.counters}
    left.gauges = {s: v for s, v in batch.gauges.items() if s not in sent.gauges}
    left.timings = {s: v for s, v in batch.timings.items() if s not in sent.timings}
    return left


def _said(error: Exception) -> str:
    """Return one line of an error, with its class unless it is one of ours."""
    text = mask(" ".join(str(error).split()))[:500]
    if isinstance(error, DataOpsError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
