"""Waiting for locks: never without a bound, and never so that others queue behind the wait.

On Postgres a statement that waits for the lock of a whole table makes every later reader of the
table wait behind it. So it asks for a moment, lets the readers through, and asks again.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.error_codes import ErrorKind
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.ports import SqlRunner

log = logging.getLogger(__name__)

_FIRST_MOMENT = 0.2
_LONGEST_MOMENT = 1.0
_LONGEST_PAUSE = 2.0
MOMENT = 1.0
"""How long a statement waits that is tried again, or need not succeed, seconds."""
_SAVEPOINT = "dataops_wait"
WAIT = timedelta(minutes=10)
"""How long is waited where nobody said."""


class Patience:
    """How long one load or build waits for locks, all in all."""

    def __init__(self, wait: timedelta = WAIT) -> None:
        self.seconds = wait.total_seconds()
        self._deadline = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        """Whether it has waited long enough."""
        return time.monotonic() > self._deadline

    @property
    def left(self) -> float:
        """The seconds that are left, at least a moment."""
        return max(self._deadline - time.monotonic(), _FIRST_MOMENT)


def limit_waits(runner: SqlRunner, patience: Patience) -> None:
    """Bound each wait for a lock until the transaction ends, where the engine waits at all."""
    _limit(runner, patience.left)


@contextmanager
def limited_waits(runner: SqlRunner, seconds: float) -> Iterator[None]:
    """Bound each wait for a lock in the block, which is a transaction where that is needed."""
    if get_engine(runner.dialect).loads.waits is None:
        yield
        return
    with runner.transaction():
        _limit(runner, seconds)
        yield


def is_locked(error: BaseException | None) -> bool:
    """Tell whether a statement gave up waiting for a lock."""
    return kind_of(error) is ErrorKind.LOCKED


def execute_patiently(
    sql: str,
    runner: SqlRunner,
    patience: Patience | None = None,
    *,
    what: str,
    lets_others: bool = True,
    meanwhile: Callable[[], bool] | None = None,
) -> int:
    """Run a statement that needs a lock which others may have, inside a transaction.

    Args:
        what: names the thing in errors.
        lets_others: whether to pause between two attempts, for those who queue behind them.
        meanwhile: called after an attempt that did not get the lock; returns whether another
            one is worth it at once.

    Raises:
        RetryableError: it was not free in time.
    """
    if get_engine(runner.dialect).loads.waits is None:
        return runner.execute(sql)
    patience = patience or Patience()
    moment = _FIRST_MOMENT
    while True:
        with _Undone(runner) as attempt:
            _limit(runner, moment)
            rows = runner.execute(sql)
            _limit(runner, patience.left)
        if attempt.error is None:
            return rows
        if meanwhile is not None and _did(meanwhile, runner, what):
            continue
        if patience.is_over:
            raise RetryableError(
                f"{what} was in use for longer than {patience.seconds:g} s, and nothing was "
                "changed. Look in pg_stat_activity for what holds it; run the task again, or let "
                "it wait longer."
            ) from attempt.error
        if moment == _FIRST_MOMENT:
            log.info("Waiting up to %g s for %s, which is in use", patience.seconds, what)
        if lets_others:
            pause = min(3 * moment, _LONGEST_PAUSE)
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        moment = min(moment * 1.5, _LONGEST_MOMENT)


def _did(meanwhile: Callable[[], bool], runner: SqlRunner, what: str) -> bool:
    done = False
    with _Undone(runner, any_error=True) as attempt:
        done = meanwhile()
    if attempt.error is not None:
        log.warning("%s is in use: %s", what, attempt.error)
    return done


def stop_sessions(statement: Statement, runner: SqlRunner, whose: str) -> bool:
    """End the sessions that a statement of `Waits` names; tell whether there was one."""
    stopped = bool(ask(statement, runner))
    if stopped:
        log.warning("Ended the session of an earlier try that held %s", whose)
    return stopped


class _Undone:
    """A block of which nothing is left where it did not get a lock; `error` tells."""

    def __init__(self, runner: SqlRunner, *, any_error: bool = False) -> None:
        self._runner = runner
        self._any = any_error
        self.error: BaseException | None = None

    def __enter__(self) -> _Undone:
        """Begin."""
        self._runner.execute(f"savepoint {_SAVEPOINT}")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Keep what the block did, or undo it."""
        if error is None:
            self._runner.execute(f"release savepoint {_SAVEPOINT}")
            return False
        if not (is_locked(error) or (self._any and isinstance(error, Exception))):
            return False
        self._runner.execute(f"rollback to savepoint {_SAVEPOINT}")
        self.error = error
        return True


def _limit(runner: SqlRunner, seconds: float) -> None:
    waits = get_engine(runner.dialect).loads.waits
    if waits is not None:
        runner.execute(waits.limit(max(1, round(seconds * 1000))))
