"""New columns of a target where they cannot be part of the publishing transaction."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.loads.lease import check_held, is_held
from airflow_dataops.core.sql.columns import Addition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.lease import Lease
    from airflow_dataops.core.ports import SqlRunner

log = logging.getLogger(__name__)


@contextmanager
def widened(job: Job, lease: Lease, statements: Sequence[Statement]) -> Iterator[None]:
    """Run what changes the target's columns, for the block; take it back where that raises.

    Killed in the block, the columns stay, NULL in every row; the retry finds them there.

    Raises:
        SupersededError: another attempt has taken the load's place; no column was added.
    """
    if not statements:
        yield
        return
    check_held(lease, job.runner)
    done: list[Statement] = []
    try:
        for statement in statements:
            done.append(statement)
            job.runner.execute(statement.sql)
        yield
    except BaseException:  # a kill, too, leaves the target as it was
        take_back(lease, done, job.runner)
        raise


def take_back(lease: Lease, done: Sequence[Statement], runner: SqlRunner) -> None:
    """Remove the columns that were added, if the lease is still ours and they hold no value."""
    for addition in done:
        if not isinstance(addition, Addition):
            continue
        with Quietly(f"take back a new column of {lease.row.target}"):
            if is_held(lease, runner) and runner.fetch(addition.values) == [(0,)]:
                runner.execute(addition.undo)
                log.info("Took back a new column of %s", lease.row.target)
