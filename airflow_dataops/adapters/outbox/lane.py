"""One receiver's messages, one after the other, in a thread of their own."""

from __future__ import annotations

import logging
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from airflow_dataops.adapters.outbox import leases
from airflow_dataops.adapters.outbox.backoff import pause
from airflow_dataops.adapters.outbox.telling import write
from airflow_dataops.core.alerts.masking import mask
from airflow_dataops.core.alerts.receiver import ReceiverError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from airflow_dataops.adapters.ledger.database import Database
    from airflow_dataops.adapters.outbox.leases import Leased
    from airflow_dataops.core.alerts.config import AlertsConfig
    from airflow_dataops.core.alerts.receiver import Receiver
    from airflow_dataops.core.ports import Clock

LOG = logging.getLogger("airflow_dataops.alerts")


class Lane:
    """Sends to one receiver what is due, until nothing is or it is told to stop.

    Attributes:
        count: how many messages were taken.
        is_over: whether it is through.
        error: what ended it, where that was no receiver's fault.
    """

    def __init__(
        self,
        receiver: str,
        name: str,
        *,
        database: Database,
        config: AlertsConfig,
        open_receiver: Callable[[str], Receiver],
        clock: Clock,
        stop: Event,
        ended: Event,
    ) -> None:
        self.count = 0
        self.is_over = False
        self.error: BaseException | None = None
        self._receiver = receiver
        self._name = name
        self._database = database
        self._config = config
        self._open = open_receiver
        self._clock = clock
        self._stop = stop
        self._ended = ended
        self._left = Event()
        self._in_hand: tuple[Leased, float] | None = None
        self._turn = Lock()
        self._thread = Thread(target=self._run, name=f"alerts to {receiver}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hangs_since(self, seconds: float) -> bool:
        """Tell whether the receiver has not answered for so long."""
        held = self._in_hand
        return held is not None and time.monotonic() - held[1] > seconds

    def leave(self, seconds: float) -> None:
        """Leave a receiver that hangs: it counts as down. What it answers later is not heard."""
        with self._turn:
            held, self._in_hand = self._in_hand, None
            if held is None:
                return
            self._left.set()
        self._failed(held[0], ReceiverError(f"it did not answer for {seconds:g} s"))

    def _run(self) -> None:
        try:
            self._drain()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            self.error = error
        finally:
            self.is_over = True
            self._ended.set()

    def _drain(self) -> None:
        receiver: Receiver | None = None
        with self._database.write() as connection:
            each = self._take(connection)
        while each is not None:
            held = each
            self._in_hand = (held, time.monotonic())
            try:
                receiver = receiver or self._open(self._receiver)
                each = self._send(receiver, held)
            except Exception as error:  # noqa: BLE001 - a receiver may be anybody's code
                if not self._let_go():
                    return
                each = self._failed(held, error, opened=receiver is not None)

    def _take(self, connection: Connection) -> Leased | None:
        """Lease what is next, in the transaction in which the message before is noted.

        So a lane under way always has one in hand, and other senders leave it alone.
        """
        if self._stop.is_set() or self._left.is_set():
            return None
        now = self._clock.now()
        return leases.lease(connection, self._receiver, self._name, now, self._config)

    def _let_go(self) -> bool:
        """Put down the message in hand; tell whether it is still this lane's to care for."""
        with self._turn:
            self._in_hand = None
            return not self._left.is_set()

    def _send(self, receiver: Receiver, each: Leased) -> Leased | None:
        """Send a message; return the next one."""
        with self._database.read() as connection:
            written = write(connection, each, self._config.messages, self._clock.now())
        if written is not None:
            receiver.send(written.message)
        if not self._let_go():
            return None
        with self._database.write() as connection:
            if written is None:
                leases.drop(connection, self._name, each.key)
                return self._take(connection)
            now, count = self._clock.now(), written.message.count
            self.count += leases.sent(connection, self._name, each, now, count, written.seen)
            return self._take(connection)

    def _failed(self, each: Leased, error: Exception, *, opened: bool = True) -> Leased | None:
        """Note that a message was not taken; return the next one, if the receiver takes any."""
        text = mask(f"{type(error).__name__}: {error}")[:500]
        asked = error.retry_after if isinstance(error, ReceiverError) else None
        whole = not opened or getattr(error, "whole", isinstance(error, OSError))
        now = self._clock.now()
        attempt = (each.failures if whole else each.attempts) + 1
        at = now + pause(attempt, asked)
        following = None
        with self._database.write() as connection:
            mine = leases.postpone(connection, self._name, each.key, at, text, whole=whole)
            if mine and whole:
                leases.block(connection, each, text)
            if not whole:
                following = self._take(connection)
        LOG.warning(
            "%s did not take an alert (attempt %d, %s in %.0f s): %s",
            each.receiver,
            attempt,
            "asked again" if whole else "next",
            (at - now).total_seconds(),
            text,
        )
        return following
