"""Sends what is in the outbox: one lane per receiver, so that none waits for another."""

from __future__ import annotations

import logging
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from airflow_dataops.adapters.ledger.tables import alerts
from airflow_dataops.adapters.messages import make_message
from airflow_dataops.adapters.outbox import leases
from airflow_dataops.adapters.outbox.backoff import pause
from airflow_dataops.core.alerts.alert import Alert
from airflow_dataops.core.alerts.masking import mask
from airflow_dataops.core.alerts.receiver import ReceiverError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from airflow_dataops.adapters.ledger.database import Database
    from airflow_dataops.adapters.outbox.leases import Leased
    from airflow_dataops.core.alerts.alert import Message
    from airflow_dataops.core.alerts.config import AlertsConfig
    from airflow_dataops.core.alerts.receiver import Receiver
    from airflow_dataops.core.ports import Clock

LOG = logging.getLogger("airflow_dataops.alerts")
_BATCH = 200
_LANES = 8
_SHOWN = 20


class Sender:
    """One of any number of senders, in any processes.

    Args:
        open_receiver: makes a receiver of its address (`slack:ops#alerts`); what it raises
            counts as a receiver that is down.
    """

    def __init__(
        self,
        database: Database,
        config: AlertsConfig,
        open_receiver: Callable[[str], Receiver],
        clock: Clock,
    ) -> None:
        self.name = f"{os.getpid()}-{uuid.uuid4().hex}"
        self._database = database
        self._config = config
        self._open = open_receiver
        self._clock = clock

    def run(self, stop: Event, poll_seconds: float = 1.0) -> None:
        """Send until told to stop. A message in hand is finished first."""
        while not stop.is_set():
            if not self.run_once():
                stop.wait(poll_seconds)

    def run_once(self) -> int:
        """Send what is due now; return how many messages were taken by their receivers."""
        now = self._clock.now()
        with self._database.write() as connection:
            taken = leases.lease(connection, self.name, now, self._config, _BATCH)
            lost = leases.expire(connection, now - timedelta(days=self._config.expire_days), now)
        if lost:
            LOG.error(
                "%d alerts were not taken by their receivers for %g days and are given up",
                lost,
                self._config.expire_days,
            )
        taken.sort(key=lambda each: each.receiver)
        lanes = [list(lane) for _, lane in groupby(taken, key=lambda each: each.receiver)]
        if len(lanes) < 2:
            return sum(map(self._lane, lanes))
        with ThreadPoolExecutor(min(_LANES, len(lanes))) as pool:
            return sum(pool.map(self._lane, lanes))

    def _lane(self, lane: list[Leased]) -> int:
        """Send to one receiver, in order; once it is down, leave it the rest for later."""
        count = 0
        receiver = None
        for position, each in enumerate(lane):
            try:
                receiver = receiver or self._open(each.receiver)
                count += self._send(receiver, each)
            except Exception as error:  # noqa: BLE001 - a receiver may be anybody's code
                at = self._failed(each, error)
                if receiver is None or getattr(error, "whole", False):
                    self._release(lane[position + 1 :], at)
                    break
        return count

    def _send(self, receiver: Receiver, each: Leased) -> bool:
        with self._database.write() as connection:
            if not leases.renew(connection, self.name, each.key, self._clock.now()):
                return False
        message = self._message(each)
        receiver.send(message)
        with self._database.write() as connection:
            return leases.sent(connection, self.name, each.key, self._clock.now(), message.count)

    def _message(self, each: Leased) -> Message:
        """Write the message as late as this, so that it tells of all who joined meanwhile."""
        mine = alerts.c.incident == each.incident
        with self._database.read() as connection:
            count = connection.execute(select(func.count()).where(mine)).scalar_one()
            rows = connection.execute(
                select(alerts.c.alert).where(mine).order_by(alerts.c.at, alerts.c.key).limit(_SHOWN)
            ).scalars()
            found = [msgspec.convert(row, Alert) for row in rows]
        return make_message(
            each.key,
            each.incident,
            each.action,
            step=each.step,
            alerts=found,
            count=count,
            at=self._clock.now(),
            templates=self._config.messages,
        )

    def _failed(self, each: Leased, error: Exception) -> datetime:
        text = mask(f"{type(error).__name__}: {error}")[:500]
        asked = error.retry_after if isinstance(error, ReceiverError) else None
        wait = pause(each.attempts + 1, asked)
        LOG.warning(
            "%s did not take an alert (attempt %d, next in %.0f s): %s",
            each.receiver,
            each.attempts + 1,
            wait.total_seconds(),
            text,
        )
        at = self._clock.now() + wait
        with self._database.write() as connection:
            leases.postpone(connection, self.name, each.key, at, text)
        return at

    def _release(self, rest: list[Leased], at: datetime) -> None:
        with self._database.write() as connection:
            for each in rest:
                leases.postpone(connection, self.name, each.key, at)
