"""Making what several sessions need and each may find missing: a schema, a control table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_dataops.core.loads.failures import is_already_there
from airflow_dataops.core.loads.waiting import MOMENT, WAIT, Patience, is_locked, limited_waits
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from airflow_dataops.core.ports import SqlRunner

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


def make_once(
    statement: str,
    runner: SqlRunner,
    is_there: Callable[[], bool],
    what: object,
    wait: timedelta = WAIT,
) -> None:
    """Make a thing by a statement unless it exists; others may be doing the same.

    Must run outside of a transaction. (`if not exists` looks before it makes: of two sessions
    at once one fails.)

    Args:
        is_there: tells whether it exists and can be seen.
        what: names it in errors.

    Raises:
        RetryableError: another session is making it and does not come to an end.
    """
    patience, pause = Patience(wait), _FIRST_PAUSE
    while not is_there():
        if patience.is_over:
            raise RetryableError(
                f"{what} is being made by another session for more than {patience.seconds:g} s; "
                "look what holds it, then run the task again."
            )
        with _MadeMeanwhile(), limited_waits(runner, min(MOMENT, patience.left)):
            runner.execute(statement)
            return
        time.sleep(pause)  # until the other session's can be seen
        pause = min(pause * 2, _LONGEST_PAUSE)


class _MadeMeanwhile:
    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return is_already_there(error) or is_locked(error)
