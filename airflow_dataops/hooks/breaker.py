"""A circuit breaker that all workers share: its state is in the ledger's database."""

from __future__ import annotations

import logging
import random
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_dataops.adapters.ledger.breakers import BreakerStore, Ticket
from airflow_dataops.core.arguments import count, seconds, text
from airflow_dataops.core.breaker import BreakerOpenError, Limits, State
from airflow_dataops.core.masking import mask_error
from airflow_dataops.hooks.outages import is_outage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.core.breaker import Breaker

log = logging.getLogger(__name__)

_JITTER = 0.2
"""The share by which those that were refused come back later than they may, at most."""


class CircuitBreaker:
    """Stops calls to a service that is down, for all tasks on all workers.

    Closed, all calls go through. After `threshold` failures in a row it opens, and for
    `reset_after` no call is made. Then it is half-open: one call, the probe, goes through; it
    closes the breaker, or opens it for as long again. What counts as a failure is what
    `is_outage` says: the service does not answer, or says that it cannot; an error in the data
    or the SQL is an answer.

    Use it as a context manager around a call, as `operators.retrying.guarded(...)` around any
    operator, or as the gate `BreakerClosedSensor`. Where the ledger cannot be reached, calls go
    through.

    Args:
        name: of the service, such as a connection's id; who uses the same name shares the state.
        threshold: failures in a row that open it.
        reset_after: seconds, or a timedelta; longer than a call takes.
        counts: what tells whether an error is a failure of the service, if not `is_outage`.
    """

    def __init__(
        self,
        name: str,
        *,
        threshold: int = 5,
        reset_after: Duration = 60,
        counts: Callable[[BaseException], bool] = is_outage,
    ) -> None:
        self.name = text(name, "name")
        self.limits = Limits(
            threshold=count(threshold, "threshold", least=1),
            reset_after=seconds(reset_after, "reset_after", is_positive=True),
        )
        self.counts = counts

    @contextmanager
    def call(self) -> Iterator[None]:
        """Make a call in the block.

        Raises:
            BreakerOpenError: it does not go through.
        """
        ticket = self.admit()
        try:
            yield
        except Exception as error:
            self.ended(ticket, error)
            raise
        self.ended(ticket)

    def admit(self) -> Ticket | None:
        """Let a call through; None where nobody could be asked.

        Raises:
            BreakerOpenError: it does not go through.
        """
        store = self._store()
        try:
            ticket = None if store is None else store.admit(self.name, self.limits)
            if store is None or ticket is not None:
                return ticket
            found = store.read(self.name)
        except Exception as error:  # noqa: BLE001 - databases have trees of their own
            self._unknown(error)
            return None
        raise BreakerOpenError(self.name, self._wait(found), found.error)

    def ended(self, ticket: Ticket | None, error: BaseException | None = None) -> None:
        """Note how a call ended."""
        store = self._store()
        if store is None or ticket is None or isinstance(error, BreakerOpenError):
            return
        try:
            if error is None or not self.counts(error):
                store.succeeded(self.name, ticket)
                return
            after = store.failed(self.name, ticket, self.limits, mask_error(error, 1000))
        except Exception as problem:  # noqa: BLE001 - databases have trees of their own
            self._unknown(problem)
            return
        if after.state is State.OPEN:
            log.warning("The circuit breaker %r is open", self.name)

    def read(self) -> Breaker:
        """Return the breaker as it is.

        Raises:
            ConfigError: there is no ledger that can be used.
        """
        return open_breakers().read(self.name)

    def left(self) -> float:
        """Return the seconds until a call may go through; 0 where one may now."""
        try:
            return self.read().left(self.limits, datetime.now(UTC)).total_seconds()
        except Exception as error:  # noqa: BLE001 - databases have trees of their own
            self._unknown(error)
            return 0.0

    def _wait(self, found: Breaker) -> float:
        left = found.left(self.limits, datetime.now(UTC)).total_seconds()
        spread = _JITTER * self.limits.reset_after
        return left + random.uniform(0, spread)  # noqa: S311 - spreads load

    def _store(self) -> BreakerStore | None:
        try:
            return open_breakers()
        except Exception as error:  # noqa: BLE001 - databases have trees of their own
            self._unknown(error)
            return None

    def _unknown(self, error: BaseException) -> None:
        told = mask_error(error, 500)
        log.warning("The breaker %r is unknown, calls go through: %s", self.name, told)


def open_breakers() -> BreakerStore:
    """Return the breakers of `[dataops] ledger`; see `open_ledger`."""
    from airflow_dataops.hooks.alerts import open_ledger

    return BreakerStore(open_ledger().database)
