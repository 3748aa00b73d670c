"""Adds the rows of a run once, however often the run is tried."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads.checks import LoadDoneError
from airflow_dataops.core.loads.emptied import forgets
from airflow_dataops.core.loads.lease import control_table, ensure_table
from airflow_dataops.core.sql import receipts as sql
from airflow_dataops.core.sql.receipts import Receipt

if TYPE_CHECKING:
    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job

log = logging.getLogger(__name__)


def begin_once(job: Job) -> tuple[Statement, ...]:
    """Go on if the run has not added its rows yet; return what its publication begins with.

    Raises:
        LoadDoneError: it has.
    """
    receipt, attempt = _receipt(job), job.load.attempt
    create = sql.create_receipts(receipt.table, job.engine)
    ensure_table(job.runner, receipt.table, create.sql, job.load.wait)
    found = ask(receipt.read(), job.runner)
    if not found:
        return ()
    [(try_number, rows), *_] = found
    told = f"try {try_number} of the run {attempt.run_id} has added {rows} rows"
    forgotten = forgets(job, told)
    if forgotten:
        return forgotten
    log.warning(
        "%s: %s, and this is try %d: nothing is added again. To load the run anew, remove its "
        "rows from the table and its row from %s",
        *(job.load.target, told, attempt.try_number, receipt.table),
    )
    raise LoadDoneError


def written(job: Job, rows: int) -> Statement:
    """Return the statement that keeps that the run has added its rows."""
    return _receipt(job).write(job.load.attempt.try_number, rows)


def _receipt(job: Job) -> Receipt:
    attempt = job.load.attempt
    return Receipt(
        table=control_table(job.load, sql.RECEIPTS, job.engine),
        target=str(job.load.target),
        partition=job.load.partition,
        owner=attempt.owner,
        run_id=attempt.run_id,
        engine=job.engine,
    )
