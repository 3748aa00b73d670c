"""The right to load one target and partition, and the proof that it was not lost."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.statements import Statement, ask, send
from airflow_dataops.core.loads.failures import Quietly, Yielding, is_already_there
from airflow_dataops.core.loads.making import make_once
from airflow_dataops.core.loads.overlap import may_overlap
from airflow_dataops.core.loads.waiting import (
    MOMENT,
    Patience,
    is_locked,
    limited_waits,
    stop_sessions,
)
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql import control
from airflow_dataops.core.sql.control import Leased
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import RetryableError, SupersededError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.loads.specs import Attempt, Load
    from airflow_dataops.core.ports import SqlRunner

log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class Lease(Struct, frozen=True):
    """A lease that was taken. `token` is its fencing token."""

    row: Leased
    token: int


class _Holder(Struct, frozen=True):
    """Who has a lease, as the warehouse tells."""

    token: int
    owner: str
    run_id: str
    try_number: int
    holder: str
    seconds_left: int


@contextmanager
def holding(load: Load, runner: SqlRunner) -> Iterator[Lease]:
    """Hold the lease of a load's target and partition in the block.

    The block gives it back, with `pass_fence` or `give_back`; where it raises, that is done here.

    Raises:
        RetryableError: another task held it for longer than the load may wait.
        SupersededError: a later try of the same task has taken it.
    """
    row = control.Leased(
        table=control_table(load, control.LEASES, get_engine(runner.dialect)),
        target=str(load.target),
        partition=load.partition,
        engine=get_engine(runner.dialect),
    )
    ensure_table(runner, row.table, control.create_leases(row.table, row.engine).sql, load.wait)
    lease = _take(row, load, runner)
    try:
        yield lease
    except BaseException as error:  # whoever is killed keeps nobody waiting
        given = True
        with Quietly(f"give back the lease of {load.target}"):
            given = give_back(lease, runner)
        if not given and isinstance(error, Exception):
            # Whoever took it may have swept what this load was reading.
            raise superseded(lease) from error
        raise


def give_back(lease: Lease, runner: SqlRunner) -> bool:
    """Let others load; return whether the lease was still ours, as far as the engine tells."""
    with limited_waits(runner, MOMENT):
        return send(control.fence(lease.row, lease.token), runner) != 0


def renew(lease: Lease, seconds: int, runner: SqlRunner) -> None:
    """Keep a lease for some more time.

    Raises:
        SupersededError: another attempt has taken it.
    """
    with limited_waits(runner, MOMENT):
        send(control.renew_lease(lease.row, lease.token, seconds), runner)
    check_held(lease, runner)


def is_held(lease: Lease, runner: SqlRunner) -> bool:
    """Tell whether the lease is still ours, and neither given back nor expired."""
    found = [_holder(row) for row in ask(control.read_lease(lease.row), runner)]
    return any(row.token == lease.token and row.seconds_left > 0 for row in found)


def pass_fence(lease: Lease, runner: SqlRunner) -> None:
    """Give the lease back inside the publishing transaction, as its first statement.

    Raises:
        SupersededError: another attempt has taken it.
    """
    changed = send(control.fence(lease.row, lease.token), runner)
    if changed < 0:  # the engine does not say; the row does
        found = ask(control.read_lease(lease.row), runner)
        changed = sum(token == lease.token for token, *_ in found)
    if changed == 0:
        raise superseded(lease)


def check_held(lease: Lease, runner: SqlRunner) -> None:
    """Fail unless the lease is still ours.

    Raises:
        SupersededError: another attempt has taken it.
    """
    if all(token != lease.token for token, *_ in ask(control.read_lease(lease.row), runner)):
        raise superseded(lease)


def superseded(lease: Lease) -> SupersededError:
    """Return the error that says that another attempt has taken a lease."""
    return SupersededError(
        f"{lease.row.target}: another attempt has taken this load's place"
        f"{_in(lease.row.partition)}, and what this one wrote was rolled back. "
        "Nothing is to be done; the other attempt has loaded the table or will."
    )


def control_table(load: Load, name: str, engine: Engine) -> Relation:
    """Return where a control table of a load is."""
    return control.control_table(name, load.target, load.control or load.target, engine)


def ensure_table(runner: SqlRunner, table: Relation, statement: str, wait: timedelta) -> None:
    """Make a table by a statement unless it exists; others may be doing the same.

    Raises:
        RetryableError: another session is making it and does not come to an end.
    """
    make_once(statement, runner, lambda: read_table(runner, table) is not None, table, wait)


def _take(row: Leased, load: Load, runner: SqlRunner) -> Lease:
    patience = Patience(load.wait)
    holder, pause, told, added = uuid4().hex, _FIRST_PAUSE, False, False
    while True:
        found = _try_to_take(row, load, holder, runner, min(MOMENT, patience.left))
        if found is not None and found.holder == holder:
            lease = Lease(row=row, token=found.token)
            found = _in_the_way(row, load.attempt, runner)
            if found is None:
                return lease
            give_back(lease, runner)
        elif found is None and not added:
            added = True
            continue
        else:
            _check_not_superseded(found, load.attempt, row)
        if patience.is_over:
            raise RetryableError(_busy(found, load, row))
        if not told and found is not None:
            where = f"{row.target}{_in(row.partition)}"
            log.info("Waiting for %s, which %s loads", where, found.owner)
            told = True
        # By chance: two that gave way to each other must not come back together.
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE)


def _try_to_take(
    row: Leased, load: Load, holder: str, runner: SqlRunner, seconds: float
) -> _Holder | None:
    attempt = load.attempt
    take = control.take_lease(
        row,
        owner=attempt.owner,
        run_id=attempt.run_id,
        try_number=attempt.try_number,
        holder=holder,
        seconds=int(load.lease.total_seconds()),
    )
    with _Bounded(row, attempt, runner) as bounded, limited_waits(runner, seconds):
        send(take, runner)
    if bounded.ended:
        with _Bounded(row, attempt, runner), limited_waits(runner, seconds):
            send(take, runner)
    with Yielding():
        found = ask(control.read_lease(row), runner)
        if found:
            return _holder(found[0])
    with _Bounded(row, attempt, runner), limited_waits(runner, seconds):
        send(control.add_lease(row), runner)
    return None


class _Bounded:
    """A block that writes the row of a lease, which others may be writing: then it gives way.

    A publishing transaction that hangs keeps the row locked. If it is that of an earlier try of
    the same task, which Airflow has given up, its session is ended; `ended` tells.
    """

    def __init__(self, row: Leased, attempt: Attempt, runner: SqlRunner) -> None:
        self._row, self._attempt, self._runner = row, attempt, runner
        self.ended = False

    def __enter__(self) -> _Bounded:
        """Begin."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Take what comes of others' writing; let every other error pass."""
        if is_locked(error):
            with Quietly(f"end the session that holds {self._row.target}"):
                self.ended = _stop_earlier_try(self._row, self._attempt, self._runner)
            return True
        return is_already_there(error)


def _stop_earlier_try(row: Leased, attempt: Attempt, runner: SqlRunner) -> bool:
    waits = row.engine.loads.waits
    if waits is None:
        return False
    found = [_holder(each) for each in ask(control.read_lease(row), runner)]
    if not any(_is_same_task(by, attempt) and by.try_number < attempt.try_number for by in found):
        return False
    this = Statement(sql=row.where, parameters=row.values)
    return stop_sessions(waits.stop_writer(row.sql, this), runner, row.target)


def _is_same_task(found: _Holder, attempt: Attempt) -> bool:
    return (found.owner, found.run_id) == (attempt.owner, attempt.run_id)


def _holder(row: Sequence[Any]) -> _Holder:
    """Return the holder that a row tells of, in the order of `control.read_lease`."""
    return _Holder(**dict(zip(_Holder.__struct_fields__, row, strict=True)))


def _in_the_way(row: Leased, attempt: Attempt, runner: SqlRunner) -> _Holder | None:
    """Return who else holds a lease of the same target whose rows may be the same, if anyone.

    Whoever looks has taken its own lease before, in a transaction that has ended: of two that
    take theirs at once, at least one sees the other.
    """
    for partition, *others in ask(control.read_others(row), runner):
        found = _holder(others)
        if may_overlap(partition, row.partition) and not _is_same_task(found, attempt):
            return found
    return None


def _check_not_superseded(found: _Holder | None, attempt: Attempt, row: Leased) -> None:
    if found is None or not _is_same_task(found, attempt):
        return
    if found.try_number > attempt.try_number:
        raise SupersededError(
            f"{row.target}: try {found.try_number} of {found.owner} in run {found.run_id} has "
            f"begun to load it{_in(row.partition)}; this is try {attempt.try_number}, and stops."
        )


def _busy(found: _Holder | None, load: Load, row: Leased) -> str:
    by = (
        f"{found.owner} in run {found.run_id} (try {found.try_number}) may load it for another "
        f"{max(found.seconds_left, 0)} s"
        if found
        else "its row in the table of leases is being written"
    )
    return (
        f"{row.target}{_in(row.partition)} was not free within {load.wait.total_seconds():g} s: "
        f"{by}. Run the task again, let it wait longer, or, if that process is dead, set "
        f"expires_epoch to 0 in {row.table}."
    )


def _in(partition: str) -> str:
    return f" (partition {partition})" if partition else ""
