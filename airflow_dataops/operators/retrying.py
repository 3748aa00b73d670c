"""Retry policies by kind of error, and operators behind a circuit breaker."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from airflow_dataops.core.arguments import instance, seconds
from airflow_dataops.core.breaker import BreakerOpenError
from airflow_dataops.core.engines.error_codes import Fate
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.breaker import CircuitBreaker
from airflow_dataops.hooks.outages import fate_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_dataops.adapters.ledger.breakers import Ticket
    from airflow_dataops.core.arguments import Duration

_DOUBLINGS = 30
"""Beyond them the power only grows."""


class ErrorRetryPolicy(RetryPolicy):
    """Retries by what an error means: not at all, or ever later.

    What comes again when the same is tried again (SQL that does not fit, a value, no right to
    read, a wrong setting) is not retried. Everything else waits `first`, twice as long each time,
    up to `most`, and of that a random share between half and all; what a breaker refused waits
    until it lets a call through.

    Args:
        first: seconds, or a timedelta.
        most: seconds, or a timedelta.
        breaker: what counts failures, and is asked for how long to wait.
    """

    def __init__(
        self,
        *,
        first: Duration = 30,
        most: Duration = 1800,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self.first = seconds(first, "first", is_positive=True)
        self.most = seconds(most, "most", is_positive=True)
        if self.most < self.first:
            raise ConfigError(f"most={most!r}: it must not be below first={first!r}.")
        self.breaker = None if breaker is None else instance(CircuitBreaker, breaker, "breaker")
        self._ticket: Ticket | None = None

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide; in the process of the task, after it failed."""
        if isinstance(exception, BreakerOpenError):
            patience = timedelta(seconds=exception.retry_after)
            return RetryDecision.retry(patience, reason=str(exception))
        if self.breaker is not None:
            self.breaker.ended(self._ticket, exception)
        if fate_of(exception) is Fate.FINAL:
            return RetryDecision.fail(reason="The same would fail again.")
        longest = min(self.most, self.first * 2.0 ** min(try_number - 1, _DOUBLINGS))
        delay = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load
        if self.breaker is not None:
            delay = max(delay, self.breaker.left())
        return RetryDecision.retry(timedelta(seconds=delay), reason="It may work later.")

    def serialize(self) -> dict[str, Any]:
        """Return what Airflow may keep of it."""
        name = None if self.breaker is None else self.breaker.name
        return {"first": self.first, "most": self.most, "breaker": name}

    def begin(self, context: Context) -> None:
        """Ask the breaker before the task runs.

        Raises:
            BreakerOpenError: it does not let the call through.
        """
        if self.breaker is not None:
            self._ticket = self.breaker.admit()

    def end(self, context: Context, result: Any = None) -> None:
        """Tell the breaker that the task ended well."""
        if self.breaker is not None:
            self.breaker.ended(self._ticket)


def guarded(breaker: CircuitBreaker, **backoff: Duration) -> dict[str, Any]:
    """Return the arguments that put any operator behind a breaker.

    `SQLExecuteQueryOperator(..., retries=10, **guarded(CircuitBreaker("warehouse")))`: while the
    breaker is open the task is not run but retried once it may, which takes one of its `retries`.

    Args:
        breaker: of the service.
        backoff: `first` and `most` of `ErrorRetryPolicy`.
    """
    policy = ErrorRetryPolicy(breaker=breaker, **backoff)
    return {
        "retry_policy": policy,
        "pre_execute": policy.begin,
        "post_execute": policy.end,
    }
