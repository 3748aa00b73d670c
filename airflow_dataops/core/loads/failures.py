"""What a load does about an engine's errors; `core/sql/engine_errors` tells what they mean."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import codes_of, kind_of
from airflow_dataops.core.masking import mask_error
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)


def is_conflict(error: BaseException | None) -> bool:
    """Tell whether two transactions got in each other's way; the same may work next time."""
    return kind_of(error) is ErrorKind.CONFLICT


def is_already_there(error: BaseException | None) -> bool:
    """Tell whether another session has just made what was to be made.

    Of two that make a thing at once, one may meet the other's row in the engine's own lists.
    """
    return kind_of(error) in (ErrorKind.EXISTS, ErrorKind.CONSTRAINT, ErrorKind.CONFLICT)


def is_lost_session(error: BaseException) -> bool:
    """Tell whether the session with the warehouse has ended."""
    return codes_of(error) is not None and kind_of(error) is ErrorKind.LOST


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
        log.warning("Could not %s: %s", self._what, mask_error(error))
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
