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
    ) -> None:
        self.count = 0
        self.error: BaseException | None = None
        self._receiver = receiver
        self._name = name
        self._database = database
        self._config = config
        self._open = open_receiver
        self._clock = clock
        self._stop = stop
        self._left = Event()
        self._in_hand: tuple[Leased, float] | None = None
        self._turn = Lock()
        self._thread = Thread(target=self._run, name=f"alerts to {receiver}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it is through."""
        return not self._thread.is_alive()

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

    def _drain(self) -> None:
        receiver: Receiver | None = None
        while not self._stop.is_set() and not self._left.is_set():
            now = self._clock.now()
            with self._database.write() as connection:
                each = leases.lease(connection, self._receiver, self._name, now, self._config)
            if each is None:
                return
            self._in_hand = (each, time.monotonic())
            try:
                receiver = receiver or self._open(self._receiver)
                self.count += self._send(receiver, each)
            except Exception as error:  # noqa: BLE001 - a receiver may be anybody's code
                self._let_go()
                if self._left.is_set() or self._failed(each, error, opened=receiver is not None):
                    return

    def _let_go(self) -> bool:
        """Put down the message in hand; tell whether it is still this lane's to care for."""
        with self._turn:
            self._in_hand = None
            return not self._left.is_set()

    def _send(self, receiver: Receiver, each: Leased) -> bool:
        with self._database.read() as connection:
            written = write(connection, each, self._config.messages, self._clock.now())
        if written is None:
            self._let_go()
            with self._database.write() as connection:
                leases.drop(connection, self._name, each.key)
            return False
        receiver.send(written.message)
        if not self._let_go():
            return False
        with self._database.write() as connection:
            return leases.sent(
                connection,
                self._name,
                each,
                self._clock.now(),
                written.message.count,
                written.seen,
            )

    def _failed(self, each: Leased, error: Exception, *, opened: bool = True) -> bool:
        """Note that a message was not taken; tell whether the receiver takes none at all."""
        text = mask(f"{type(error).__name__}: {error}")[:500]
        asked = error.retry_after if isinstance(error, ReceiverError) else None
        whole = not opened or getattr(error, "whole", isinstance(error, OSError))
        now = self._clock.now()
        at = now if whole else now + pause(each.attempts + 1, asked)
        with self._database.write() as connection:
            if not leases.postpone(connection, self._name, each.key, at, text):
                return whole
            if whole:
                at = leases.block(connection, each, now, text, asked)
        LOG.warning(
            "%s did not take an alert (attempt %d, %s in %.0f s): %s",
            each.receiver,
            each.attempts + 1,
            "asked again" if whole else "next",
            (at - now).total_seconds(),
            text,
        )
        return whole
