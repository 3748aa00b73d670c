"""Marks that outlive the rows of their table: watermarks, positions, receipts, tombstones."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import ask, send
from airflow_dataops.core.loads.choices import EmptiedTarget
from airflow_dataops.core.loads.lease import control_table, give_back, holding
from airflow_dataops.core.sql import changes, control, receipts, staging, watermarks
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.specs import Load
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner

log = logging.getLogger(__name__)

_FORGET: dict[str, Callable[[Relation, str, Engine], tuple[Statement, ...]]] = {
    watermarks.WATERMARKS: watermarks.forget,
    receipts.RECEIPTS: receipts.forget,
}
_CHOICES = (
    f"set emptied_target to {EmptiedTarget.RESTART}, to read the source from its beginning, or "
    f"to {EmptiedTarget.CONTINUE}, if the rows were removed on purpose"
)


def forgets(job: Job, told: str) -> tuple[Statement, ...]:
    """Return the statements that forget all marks of a target that has no rows; none else.

    Args:
        told: what a mark says, for people.

    Raises:
        RunError: it has none, and that is to fail.
    """
    if ask(staging.any_row(job.target.sql), job.runner) or not _is_to_restart(job.load, told):
        return ()
    return _forgetting(job.load, job.runner)


def forget_missing(load: Load, runner: SqlRunner) -> None:
    """Forget what is told of a target that does not exist, before it is made.

    So whoever comes next finds nothing of the old table, wherever this process dies.

    Raises:
        RunError: something is told of it, and that is to fail.
    """
    if not any(_all_tables(load, runner)):
        return
    with holding(load, runner) as lease:
        if read_table(runner, load.target) is None:
            _forget_all(load, runner)
        give_back(lease, runner)


def _forget_all(load: Load, runner: SqlRunner) -> None:
    engine, target = get_engine(runner.dialect), str(load.target)
    marked = [
        table
        for _, table in _control_tables(load, runner)
        if ask(control.any_of(table, target, engine), runner)
    ]
    dead = [
        table
        for table in _tombstones(load, runner)
        if ask(staging.any_row(render(table, runner.dialect)), runner)
    ]
    names = ", ".join(map(str, (*marked, *dead)))
    if not names or not _is_to_restart(load, f"{names} tells of rows that it had"):
        return
    for statement in _forgetting(load, runner):
        send(statement, runner)
    for table in dead:
        send(staging.drop_table(table, runner.dialect), runner)


def _is_to_restart(load: Load, told: str) -> bool:
    if load.emptied_target is EmptiedTarget.FAIL:
        raise RunError(
            f"{load.target} has no rows, and {told}: the table was emptied, or dropped and made "
            f"anew. Nothing was written; {_CHOICES}."
        )
    if load.emptied_target is EmptiedTarget.CONTINUE:
        log.info("%s has no rows, and %s: the load goes on from there", load.target, told)
        return False
    log.warning(
        "%s has no rows, and %s: the table was emptied, or dropped and made anew. What was kept "
        "of it is forgotten, for all of its loads, and the source is read from its beginning",
        *(load.target, told),
    )
    return True


def _forgetting(load: Load, runner: SqlRunner) -> tuple[Statement, ...]:
    engine, target = get_engine(runner.dialect), str(load.target)
    return tuple(
        statement
        for name, table in _control_tables(load, runner)
        for statement in _FORGET[name](table, target, engine)
    )


def _all_tables(load: Load, runner: SqlRunner) -> Iterator[Relation]:
    yield from (table for _, table in _control_tables(load, runner))
    yield from _tombstones(load, runner)


def _control_tables(load: Load, runner: SqlRunner) -> Iterator[tuple[str, Relation]]:
    for name in _FORGET:
        table = control_table(load, name, get_engine(runner.dialect))
        if read_table(runner, table) is not None:
            yield name, table


def _tombstones(load: Load, runner: SqlRunner) -> Iterator[Relation]:
    table = changes.tombstone_table(load.target, get_engine(runner.dialect))
    if read_table(runner, table) is not None:
        yield table
