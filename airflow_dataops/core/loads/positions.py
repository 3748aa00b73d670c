"""Positions of logs: read before a load, committed with its rows, told to the log afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.loads.lease import control_table, ensure_table
from airflow_dataops.core.loads.sources import Log
from airflow_dataops.core.sql import watermarks
from airflow_dataops.core.sql.statements import ask

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job, Publication
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.sql.watermarks import Watermarked


def resumed(job: Job, source: Source) -> Source:
    """Return a source that goes on where the target's rows end; of others, the same."""
    if not isinstance(source, Log):
        return source
    marked = _marked(job, source)
    create = watermarks.create_watermarks(marked.table, job.loading)
    ensure_table(job.runner, marked.table, create.sql, job.load.wait)
    found = ask(watermarks.read_watermarks(marked), job.runner)
    return source.resume({scope: int(mark) for scope, mark in found})


def kept(job: Job, source: Source, publication: Publication) -> Publication:
    """Return a publication that commits the positions with the rows."""
    if not isinstance(source, Log):
        return publication
    reached = dict(sorted(source.reached().items()))
    marks = tuple((scope, str(position)) for scope, position in reached.items())
    run, type_ = job.load.attempt.run_id, job.loading.types.integer
    raised = watermarks.raise_watermarks(_marked(job, source), marks, run, type_)
    return msgspec.structs.replace(
        publication,
        statements=(*publication.statements, *raised),
        watermark=publication.watermark or json.dumps(reached),
    )


def acknowledge(source: Source) -> None:
    """Tell a log how far it was read. The target's positions count, so this may fail."""
    if isinstance(source, Log):
        with Quietly(f"tell {source.log} how far it was read"):
            source.acknowledge()


def _marked(job: Job, source: Log) -> Watermarked:
    return watermarks.Watermarked(
        table=control_table(job.load, watermarks.WATERMARKS, job.loading),
        target=str(job.load.target),
        partition=job.load.partition,
        cursor=source.log,
        loading=job.loading,
    )
