"""What an engine's errors mean, told by SQLSTATE or, where there is none, by their names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONFLICTS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
}
_ALREADY_THERE = {"42P07", "23505", "42710"}  # duplicate table, unique violation, object
_ENDINGS = {"57P01", "57P02", "57P03", "57P05"}  # admin shutdown, crash, not ready, idle
_CONNECTION_CLASS = "08"


def is_conflict(error: BaseException | None) -> bool:
    """Tell whether two transactions got in each other's way; the same may work next time."""
    return (
        getattr(error, "sqlstate", None) in _CONFLICTS
        or type(error).__name__ == "TransactionException"  # DuckDB
    )


def is_already_there(error: BaseException | None) -> bool:
    """Tell whether another session has just made what was to be made."""
    return (
        getattr(error, "sqlstate", None) in _ALREADY_THERE
        or type(error).__name__ == "ConstraintException"  # DuckDB
        or is_conflict(error)
    )


def is_lost_session(error: BaseException) -> bool:
    """Tell whether the session with the warehouse has ended."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state in _ENDINGS or state.startswith(_CONNECTION_CLASS)
    # psycopg raises it without a code when the socket closes; DuckDB has none of that name.
    return type(error).__name__ == "OperationalError"


class LostSessionsNamed:
    """A block in which the loss of the session says that the load can be run again."""

    def __init__(self, target: str) -> None:
        self._target = target

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Translate."""
        if error is not None and is_lost_session(error):
            raise RetryableError(
                f"{self._target}: the session with the warehouse ended during the load. The "
                "table is as it was, or loaded as a whole; run the task again to be sure. "
                f"({type(error).__name__}: {error})"
            ) from error


class Quietly:
    """A block that tidies up: what it raises is logged and does not hide an earlier error."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Log an error and go on; signals and exits pass."""
        if not isinstance(error, Exception):
            return False
        log.warning("Could not %s: %s: %s", self._what, type(error).__name__, error)
        return True


class Yielding:
    """A block that another transaction may get in the way of; `yielded` tells whether one did."""

    def __init__(self) -> None:
        self.yielded = False

    def __enter__(self) -> Yielding:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Take a conflict; let every other error pass."""
        self.yielded = is_conflict(error)
        return self.yielded
