"""Reads a source once, into a staging table; removes what dead loads left."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import ask, send
from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.loads.sources import Measured, Placement, Staged, StreamedSource
from airflow_dataops.core.loads.waiting import MOMENT, limited_waits
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import staging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.tables import Table

log = logging.getLogger(__name__)


def stage(job: Job, source: Source) -> Table:
    """Put a source's rows into a new staging table."""
    relation = _place(job, session=source.placement is Placement.SESSION)
    source.stage(job.runner, relation)
    _measure(job, source, relation)
    return job.read(relation)


def stage_beside(job: Job, source: Source) -> tuple[Table, Staged]:
    """Put a source's rows into a new table beside the target, like it if that can be had."""
    relation = _place(job, session=False)
    if isinstance(source, StreamedSource):
        staged = source.stage_like(job.runner, relation, job.target)
    else:
        staged = Staged(rows=source.stage(job.runner, relation))
    _measure(job, source, relation)
    return job.read(relation), staged


def _measure(job: Job, source: Source, relation: Relation) -> None:
    """Keep how large the staged rows are: as the source says, or else the engine."""
    if isinstance(source, Measured):
        found = source.staged_bytes
    elif job.engine.loads.size is not None:
        [(found,)] = ask(job.engine.loads.size(relation), job.runner)
    else:
        return
    if found is not None:
        job.sizes.append(int(found))


def _place(job: Job, *, session: bool) -> Relation:
    if not session or job.engine.loads.session is None:
        _sweep(job)
    return job.new_staging(session=session)


@contextmanager
def tidied(job: Job) -> Iterator[None]:
    """Drop a load's staging tables at the end of the block, whatever happens in it."""
    try:
        yield
    finally:
        for relation in job.made:
            with Quietly(f"drop the staging table {relation}"):
                drop_staging(relation, job.runner)


def drop_staging(relation: Relation, runner: SqlRunner) -> None:
    """Drop a staging table; a session that hangs while it writes into it is not waited for."""
    with limited_waits(runner, MOMENT):
        send(staging.drop_table(relation, runner.dialect), runner)


def _sweep(job: Job) -> None:
    """Drop the staging tables that earlier attempts at this load left when they died.

    The lease is ours, so whoever still writes into one cannot publish it any more.
    """
    target = job.load.target
    prefix = staging.staging_prefix(target, job.load.partition, job.engine)
    for (name,) in ask(staging.leftovers(target, prefix, job.engine), job.runner):
        left = Relation(identifier=name, schema=target.schema, database=target.database)
        log.info("Dropping %s, which a dead load left", left)
        with Quietly(f"drop {left}"):
            drop_staging(left, job.runner)
