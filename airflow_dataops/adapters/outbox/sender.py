"""Sends what is in the outbox: a lane for each receiver, so that none waits for another."""

from __future__ import annotations

import logging
import os
import time
import uuid
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from airflow_dataops.adapters.ledger.rows import upsert
from airflow_dataops.adapters.ledger.tables import marks
from airflow_dataops.adapters.outbox import leases
from airflow_dataops.adapters.outbox.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_dataops.adapters.ledger.database import Database
    from airflow_dataops.core.alerts.config import AlertsConfig
    from airflow_dataops.core.alerts.receiver import Receiver
    from airflow_dataops.core.ports import Clock

LOG = logging.getLogger("airflow_dataops.alerts")
MARK = "alert_sender"
"""When a sender looked for what is due, in the ledger; noted once a minute."""
PATIENCE = 45.0
"""Seconds for a receiver's answer to one message; then it is left, and asked again later."""
_GLANCE = 0.2
_EXPIRE_EVERY = timedelta(minutes=1)


class Sender:
    """One of any number of senders, in any processes.

    Args:
        open_receiver: makes a receiver of its address (`slack:ops#alerts`); what it raises
            counts as a receiver that is down.
        patience: seconds for a receiver's answer to one message; less than `leases.LEASE`.
    """

    def __init__(
        self,
        database: Database,
        config: AlertsConfig,
        open_receiver: Callable[[str], Receiver],
        clock: Clock,
        patience: float = PATIENCE,
    ) -> None:
        self.name = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._database = database
        self._config = config
        self._open = open_receiver
        self._clock = clock
        self._patience = patience
        self._lanes: dict[str, Lane] = {}
        self._stop = Event()
        self._ended = Event()
        self._made = 0
        self._expired_at: datetime | None = None

    def run(self, stop: Event, poll_seconds: float = 1.0) -> None:
        """Send until told to stop. Messages in hand are finished first.

        A database that does not answer is asked again, less and less often.
        """
        failed = 0
        while not stop.is_set():
            try:
                self._look()
                failed = 0
            except Exception as error:  # noqa: BLE001 - drivers have trees of their own
                if not failed:
                    LOG.warning("Alerts are not sent for now: %s: %s", type(error).__name__, error)
                failed = min(failed + 1, 6)
            stop.wait(poll_seconds * 2**failed if failed else poll_seconds)
        self._wait(0, ignore_errors=True)

    def run_once(self, seconds: float | None = None) -> int:
        """Send what is due; return how many messages were taken by their receivers.

        Args:
            seconds: so long new messages are begun; until nothing is due by default.
        """
        self._stop.clear()
        lanes = self._look()
        self._wait(seconds)
        return sum(lane.count for lane in lanes)

    def _look(self) -> list[Lane]:
        """Start a lane for each receiver that has something due and none; return all of them."""
        now = self._clock.now()
        if self._expired_at is None or now - self._expired_at >= _EXPIRE_EVERY:
            self._expire(now)
        self._tidy(ignore_errors=True)
        with self._database.read() as connection:
            due = leases.due_receivers(connection, now)
        for receiver in due:
            if receiver not in self._lanes:
                self._lanes[receiver] = self._lane(receiver)
                self._lanes[receiver].start()
        return list(self._lanes.values())

    def _expire(self, now: datetime) -> None:
        days = self._config.expire_days
        with self._database.write() as connection:
            lost = leases.expire(connection, now - timedelta(days=days), now)
            upsert(connection, marks, [{"name": MARK, "at": now}])
        self._expired_at = now
        if lost:
            LOG.error(
                "%d alerts were not taken by their receivers for %g days and are given up",
                lost,
                days,
            )

    def _lane(self, receiver: str) -> Lane:
        self._made += 1
        return Lane(
            receiver,
            f"{self.name}-{self._made}",
            database=self._database,
            config=self._config,
            open_receiver=self._open,
            clock=self._clock,
            stop=self._stop,
            ended=self._ended,
        )

    def _wait(self, seconds: float | None = None, *, ignore_errors: bool = False) -> None:
        """Wait for the lanes to end, but for those that hang; tell them to after so long."""
        begin = time.monotonic()
        while self._lanes:
            if seconds is not None and time.monotonic() - begin >= seconds:
                self._stop.set()
            self._ended.clear()
            self._tidy(ignore_errors=ignore_errors)
            if self._lanes:
                self._ended.wait(_GLANCE)

    def _tidy(self, *, ignore_errors: bool) -> None:
        """Forget the lanes that have ended, and leave those that hang to themselves.

        Raises:
            BaseException: what ended a lane, unless it is to be ignored.
        """
        for receiver, lane in list(self._lanes.items()):
            if lane.is_over:
                del self._lanes[receiver]
                if lane.error is not None and not ignore_errors:
                    raise lane.error
                if lane.error is not None:
                    LOG.warning("Alerts to %s wait: %s", receiver, lane.error)
            elif lane.hangs_since(self._patience):
                del self._lanes[receiver]
                lane.leave(self._patience)
