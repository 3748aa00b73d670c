"""From an event to all sinks of this process: the one object that callers hold."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from airflow_dataops.adapters.metrics.gathering import Gathering
from airflow_dataops.adapters.metrics.reporting import LOG, Reporter
from airflow_dataops.adapters.metrics.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_dataops.adapters.metrics.gathering import Event
    from airflow_dataops.core.metrics.settings import MetricSettings
    from airflow_dataops.core.ports import MetricSink

    Openers = Mapping[str, Callable[[], MetricSink]]

_ALIVE: WeakSet[Pipeline] = WeakSet()


class Pipeline:
    """Takes events and sends them in the background, to several sinks.

    Nothing is imported, opened or started before the first event. A process that was forked off
    starts with nothing to send and threads of its own.

    Args:
        openers: what makes each sink, by its name; called in the sink's thread.
    """

    def __init__(self, settings: MetricSettings, openers: Openers) -> None:
        self.settings = settings
        self._openers = openers
        self._reset()
        _ALIVE.add(self)

    def _reset(self) -> None:
        self._reporter = Reporter()
        self._gathering = Gathering(self.settings, self._reporter)
        self._senders: tuple[Sender, ...] = ()
        self._starting = threading.Lock()
        self._turn = threading.Lock()

    def put(self, event: Event) -> None:
        """Take one event; returns at once."""
        self._gathering.add(event)
        if not self._senders:
            self._start()

    def flush(self, seconds: float | None = None) -> bool:
        """Try to send everything; return whether it is all sent.

        Args:
            seconds: longest time that it takes; None for the setting `exit_seconds`.
        """
        bound = self.settings.exit_seconds if seconds is None else seconds
        deadline = time.monotonic() + bound
        if self._senders:
            self._refill()
        asked = [(sender, sender.ask()) for sender in self._senders]
        for sender, ticket in asked:
            if not sender.wait(ticket, deadline):
                sender.report_slow(bound)
        return not any(sender.unsent() for sender in self._senders)

    def _start(self) -> None:
        # Not blocking: a signal handler may interrupt the very call that holds the lock.
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._senders:
                return
            senders = tuple(
                Sender(name, open_, self._reporter) for name, open_ in self._openers.items()
            )
            atexit.register(self.close)
            self._senders = senders
            for sender in senders:
                sender.start()
            threading.Thread(target=self._tick, name="metrics", daemon=True).start()
        finally:
            self._starting.release()

    def _tick(self) -> None:
        """Hand on what was gathered, for as long as the process lives."""
        senders = self._senders
        # The first time at once: importing a client library is what takes longest.
        pause = min(0.05, self.settings.flush_seconds)
        while senders is self._senders:
            time.sleep(pause)
            pause = self.settings.flush_seconds
            self._refill()
            for sender in senders:
                sender.nudge()

    def _refill(self) -> None:
        with self._turn:
            batch = self._gathering.take()
            if len(batch):
                for sender in self._senders:
                    sender.give(batch)

    def close(self) -> None:
        """Send what is left, within the bound; say what could not be sent."""
        if self.flush():
            return
        for sender in self._senders:
            if unsent := sender.unsent():
                LOG.warning(
                    "Metrics sink %s: %d series were not sent when the process ended.",
                    sender.name,
                    unsent,
                )


def _forget() -> None:
    for pipeline in _ALIVE:
        pipeline._reset()


os.register_at_fork(after_in_child=_forget)
