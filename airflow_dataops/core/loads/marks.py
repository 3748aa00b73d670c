"""Reads watermarks, and says from where on a source is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.cursors import before, read_cursor, read_scope
from airflow_dataops.core.loads.lease import control_table, ensure_table
from airflow_dataops.core.loads.specs import NullCursor
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.sql import watermarks
from airflow_dataops.core.sql.identifiers import resolve
from airflow_dataops.core.sql.statements import ask

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.specs import Increment
    from airflow_dataops.core.sql.watermarks import Floor, Since, Watermarked


def watermarked(job: Job, verb: Increment) -> Watermarked:
    """Return where the watermarks of a load are."""
    return watermarks.Watermarked(
        table=control_table(job.load, watermarks.WATERMARKS, job.loading),
        target=str(job.load.target),
        partition=job.load.partition,
        cursor=",".join((verb.cursor, *verb.per)),
        loading=job.loading,
    )


def read_since_watermark(job: Job, verb: Increment) -> Since:
    """Return which rows of the source are to be read."""
    marked = watermarked(job, verb)
    create = watermarks.create_watermarks(marked.table, job.loading)
    ensure_table(job.runner, marked.table, create.sql, job.load.wait)
    found = ask(watermarks.read_watermarks(marked), job.runner)
    return watermarks.Since(
        cursor=verb.cursor,
        per=verb.per,
        floors=tuple(_floor(job, verb, scope, mark) for scope, mark in sorted(found)),
        nulls=verb.null_cursor is not NullCursor.EXCLUDE,
    )


def _floor(job: Job, verb: Increment, scope: str, mark: str) -> Floor:
    cursor: object = before(read_cursor(mark), verb.lag, verb.cursor)
    column = resolve(verb.cursor, job.target.names)
    if column is not None:
        cursor = adapt(cursor, column, job.target.type_of(column), job.dialect)
    return watermarks.Floor(cursor=cursor, values=read_scope(scope))
