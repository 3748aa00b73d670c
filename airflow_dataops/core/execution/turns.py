"""One build of a relation at a time, so that a task and its retry cannot both add the same rows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.loads.lease import give_back, holding, pass_fence
from airflow_dataops.core.loads.specs import Append, Attempt, Load
from airflow_dataops.core.loads.waiting import WAIT, Patience, execute_patiently, stop_sessions
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.loads.lease import Lease
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


class Turn(Struct, frozen=True):
    """Who builds, and how long it waits for others that build the same.

    Attributes:
        attempt: the task's try; its later tries end the session of an earlier one that still
            has the turn. None where nobody is known.
        wait: for the turn, and for readers of a table or view that is replaced.
        check: called once the turn is had; raises where a later try has begun.
    """

    attempt: Attempt | None = None
    wait: timedelta = WAIT
    check: Callable[[], None] = lambda: None


@contextmanager
def in_turn(relation: Relation, runner: SqlRunner, turn: Turn) -> Iterator[Patience]:
    """Open the transaction in which a relation is built, by nobody else meanwhile.

    Where DDL cannot be part of a transaction there is none, and the statements that change rows
    have one of their own; see `fenced`.

    Raises:
        RetryableError: another session built it for longer than the turn may wait.
    """
    engine = get_engine(runner.dialect)
    patience = Patience(turn.wait)
    if not engine.loads.transactional_ddl:
        turn.check()
        yield patience
        return
    if engine.loads.waits is None:
        # One process at a time writes; in it, a transaction must not begin before its turn.
        with _in_process(relation, patience), runner.transaction():
            turn.check()
            yield patience
        return
    with runner.transaction():
        _take(relation, runner, turn, patience)
        turn.check()
        yield patience


def _take(relation: Relation, runner: SqlRunner, turn: Turn, patience: Patience) -> None:
    """Have the turn from here to the end of the transaction; what is read next is up to date."""
    waits, attempt = get_engine(runner.dialect).loads.waits, turn.attempt
    assert waits is not None  # noqa: S101 - for the type checker
    owner = "" if attempt is None else f"{attempt.owner}\n{attempt.run_id}"

    def stop_earlier() -> bool:
        if attempt is None or attempt.try_number <= 1:
            return False
        found = waits.stop_earlier(relation, owner, attempt.try_number)
        return stop_sessions(found, runner, str(relation))

    if attempt is not None:
        runner.execute(waits.sign(owner, attempt.try_number))
    execute_patiently(
        waits.take_turn(relation),
        runner,
        patience,
        what=f"{relation}: its build",
        lets_others=False,
        meanwhile=stop_earlier,
    )


@contextmanager
def fenced(relation: Relation, runner: SqlRunner, turn: Turn) -> Iterator[SqlRunner]:
    """Hold the lease of a relation to which rows are added, where the engine has no other lock.

    Snowflake and BigQuery end a transaction with DDL, so a lock cannot be held from reading the
    relation to writing it. There a build has a lease, as a load has, and each transaction of the
    runner that is given begins with its fence.

    Raises:
        RetryableError: another session built it for longer than the turn may wait.
        SupersededError: a later try has taken the turn; nothing was written.
    """
    if turn.attempt is None or get_engine(runner.dialect).loads.transactional_ddl:
        yield runner
        return
    load = Load(target=relation, verb=Append(), attempt=turn.attempt, wait=turn.wait)
    with holding(load, runner) as lease:
        within = _Fenced(runner, lease)
        yield cast("SqlRunner", within)
        if not within.is_passed:
            give_back(lease, runner)


class _Fenced:
    """A session whose first transaction begins with a fence, which gives the lease back."""

    def __init__(self, runner: SqlRunner, lease: Lease) -> None:
        self._runner = runner
        self._lease = lease
        self.is_passed = False

    def __getattr__(self, name: str) -> Any:
        """Return what the runner has."""
        return getattr(self._runner, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; see `SqlRunner.transaction`."""
        with self._runner.transaction():
            if not self.is_passed:
                pass_fence(self._lease, self._runner)
            yield
        self.is_passed = True


class _Lock:
    """A lock that is forgotten when nobody uses it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


_locks: dict[str, _Lock] = {}
_guard = threading.Lock()


@contextmanager
def _in_process(relation: Relation, patience: Patience) -> Iterator[None]:
    name = f"{relation.schema}.{relation.identifier}".casefold()
    with _guard:
        mine = _locks.setdefault(name, _Lock())
        mine.users += 1
    try:
        if not mine.lock.acquire(timeout=patience.left):
            raise RetryableError(
                f"{relation} was being built by another thread for longer than "
                f"{patience.seconds:g} s; run the task again."
            )
        try:
            yield
        finally:
            mine.lock.release()
    finally:
        with _guard:
            mine.users -= 1
            if not mine.users:
                _locks.pop(name, None)


def _start_anew_in_child() -> None:
    global _guard
    _guard = threading.Lock()
    _locks.clear()


os.register_at_fork(after_in_child=_start_anew_in_child)
