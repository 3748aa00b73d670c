"""The right to load one target and partition, and the proof that it was not lost."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_dataops.core.loads.failures import Quietly, Yielding, is_already_there
from airflow_dataops.core.loads.overlap import may_overlap
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql import control
from airflow_dataops.core.sql.control import Leased
from airflow_dataops.core.sql.dialects.loadings import get_loading
from airflow_dataops.core.sql.statements import ask, send
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import RetryableError, SupersededError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.loads.specs import Attempt, Load
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.dialects.loading import Loading

log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_PATIENCE = 60.0


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
        table=control_table(load, control.LEASES, get_loading(runner.dialect)),
        target=str(load.target),
        partition=load.partition,
        loading=get_loading(runner.dialect),
    )
    ensure_table(runner, row.table, control.create_leases(row.table, row.loading).sql)
    lease = _take(row, load, runner)
    try:
        yield lease
    except BaseException as error:
        given = True
        with Quietly(f"give back the lease of {load.target}"):
            given = give_back(lease, runner)
        if not given and isinstance(error, Exception):
            # Whoever took it may have swept what this load was reading.
            raise superseded(lease) from error
        raise


def give_back(lease: Lease, runner: SqlRunner) -> bool:
    """Let others load; return whether the lease was still ours, as far as the engine tells."""
    return send(control.fence(lease.row, lease.token), runner) != 0


def renew(lease: Lease, seconds: int, runner: SqlRunner) -> None:
    """Keep a lease for some more time.

    Raises:
        SupersededError: another attempt has taken it.
    """
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


def control_table(load: Load, name: str, loading: Loading) -> Relation:
    """Return where a control table of a load is."""
    return control.control_table(name, load.target, load.control or load.target, loading)


def ensure_table(runner: SqlRunner, table: Relation, statement: str) -> None:
    """Make a table by a statement unless it exists; others may be doing the same.

    Raises:
        RetryableError: another session is making it and does not come to an end.
    """
    deadline, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
    while read_table(runner, table) is None:
        if time.monotonic() > deadline:
            raise RetryableError(
                f"{table} is being made by another session for more than {_PATIENCE:g} s; look "
                "what holds it, then run the task again."
            )
        with _MadeMeanwhile():
            runner.execute(statement)
            return
        time.sleep(pause)  # until the other session's table can be seen
        pause = min(pause * 2, _LONGEST_PAUSE)


class _MadeMeanwhile:
    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        # `if not exists` looks before it makes: of two sessions at once one fails.
        return is_already_there(error)


def _take(row: Leased, load: Load, runner: SqlRunner) -> Lease:
    deadline = time.monotonic() + load.wait.total_seconds()
    holder, pause, told, added = uuid4().hex, _FIRST_PAUSE, False, False
    while True:
        found = _try_to_take(row, load, holder, runner)
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
        if time.monotonic() > deadline:
            raise RetryableError(_busy(found, load, row))
        if not told and found is not None:
            where = f"{row.target}{_in(row.partition)}"
            log.info("Waiting for %s, which %s loads", where, found.owner)
            told = True
        # By chance: two that gave way to each other must not come back together.
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE)


def _try_to_take(row: Leased, load: Load, holder: str, runner: SqlRunner) -> _Holder | None:
    attempt = load.attempt
    with Yielding():
        send(
            control.take_lease(
                row,
                owner=attempt.owner,
                run_id=attempt.run_id,
                try_number=attempt.try_number,
                holder=holder,
                seconds=int(load.lease.total_seconds()),
            ),
            runner,
        )
    with Yielding():
        found = ask(control.read_lease(row), runner)
        if found:
            return _holder(found[0])
    with _MadeMeanwhile():
        send(control.add_lease(row), runner)
    return None


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
        is_own = (found.owner, found.run_id) == (attempt.owner, attempt.run_id)
        if may_overlap(partition, row.partition) and not is_own:
            return found
    return None


def _check_not_superseded(found: _Holder | None, attempt: Attempt, row: Leased) -> None:
    if found is None or (found.owner, found.run_id) != (attempt.owner, attempt.run_id):
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
