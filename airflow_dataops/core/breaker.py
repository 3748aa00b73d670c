"""A circuit breaker as data: what a call, its success and its failure make of it.

The states are pybreaker's. What all workers share is one row; each step below is one transaction
on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from airflow_dataops.core.model import Struct
from airflow_dataops.errors import RetryableError


class State(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    """One call, the probe, finds out."""


class Limits(Struct, frozen=True):
    """When a breaker opens, and what it waits for.

    Attributes:
        threshold: failures in a row that open it.
        reset_after: seconds for which it stays open, and for which a probe may last before it
            counts as dead.
    """

    threshold: int = 5
    reset_after: float = 60.0


class Breaker(Struct, frozen=True):
    """What is kept of a breaker.

    Attributes:
        generation: grows with each change of state and each probe, so that a call that began
            before is known by its own.
        failures: in a row, while it is closed.
        changed_at: when it opened, or the probe began.
        error: of the last failure.
    """

    state: State = State.CLOSED
    generation: int = 0
    failures: int = 0
    changed_at: datetime | None = None
    error: str | None = None

    def left(self, limits: Limits, now: datetime) -> timedelta:
        """Return how long no call goes through: until the next probe may begin."""
        if self.state is State.CLOSED or self.changed_at is None:
            return timedelta()
        over = self.changed_at + timedelta(seconds=limits.reset_after)
        return max(over - now, timedelta())

    def admitted(self, limits: Limits, now: datetime) -> Breaker | None:
        """Return this with one more call under way; None where it does not go through."""
        if self.state is State.CLOSED:
            return self
        if self.left(limits, now):
            return None
        return replace(self, state=State.HALF_OPEN, generation=self.generation + 1, changed_at=now)

    def succeeded(self, generation: int, now: datetime) -> Breaker:
        """Return this after a call of a generation came back: a success, or the service's no."""
        if generation != self.generation:
            return self
        if self.state is State.HALF_OPEN:
            return Breaker(generation=self.generation + 1, changed_at=now)
        return replace(self, failures=0) if self.failures else self

    def failed(self, generation: int, limits: Limits, now: datetime, error: str) -> Breaker:
        """Return this after a call of a generation found the service down."""
        if generation != self.generation or self.state is State.OPEN:
            return self
        failures = self.failures + 1
        if self.state is State.CLOSED and failures < limits.threshold:
            return replace(self, failures=failures, error=error)
        return Breaker(
            state=State.OPEN,
            generation=self.generation + 1,
            failures=failures,
            changed_at=now,
            error=error,
        )


class BreakerOpenError(RetryableError):
    """A call was not made, for the service was down a moment ago.

    Attributes:
        retry_after: seconds until a call may go through.
    """

    def __init__(self, name: str, retry_after: float, error: str | None) -> None:
        self.name = name
        self.retry_after = retry_after
        self.error = error
        super().__init__(name, retry_after, error)

    def __str__(self) -> str:
        return (
            f"The circuit breaker {self.name!r} is open: the service failed last with "
            f"{self.error or 'an error'}. The next call may be made in {self.retry_after:.0f} s; "
            f"`airflow-dataops breaker reset {self.name}` closes it."
        )
