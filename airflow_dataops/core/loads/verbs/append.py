"""Append: add the rows that the table does not have, or all rows once for each run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads import receipts
from airflow_dataops.core.loads.alignment import fit, require
from airflow_dataops.core.loads.checks import (
    count,
    distinct_row_per_key,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.choices import Duplicates
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.ordering import last_row_per_key
from airflow_dataops.core.loads.sources import Log
from airflow_dataops.core.loads.specs import NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.core.sql import staging
from airflow_dataops.core.sql.additions import insert_new_rows, insert_rows
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.alignment import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Append

log = logging.getLogger(__name__)

WHOLE_ROWS = "without keys a row is the same when all columns are: name keys"


def prepare_append(job: Job, verb: Append, source: Source) -> Publication:
    """See `Append`."""
    name = str(job.load.target)
    require(verb.keys, job.target, setting="keys", where=name)
    if verb.duplicates is Duplicates.KEEP and verb.keys:
        raise ConfigError(
            f"{name}: duplicates is keep, and keys name a row, of which there is one each; leave "
            "out one of the two."
        )
    if _keeps(verb, source):
        return _every_row(job, verb, source)
    fitted = fit(job, stage(job, source), ordering=verb.order_by)
    if not verb.keys:
        refuse_incomparable(job, fitted.staged, fitted.written, WHOLE_ROWS)
        rows = count(job, fitted.staged, [], verb.on_empty).rows
        _tell_equal(job, fitted, rows)
        added = insert_new_rows(job.target, fitted.staged, fitted.written, job.dialect)
        return Publication(staged=rows, statements=(*fitted.added, added))
    rows, statements = _by_key(job, verb, fitted)
    return Publication(staged=rows, statements=(*fitted.added, *statements))


def _keeps(verb: Append, source: Source) -> bool:
    if verb.duplicates is None:
        return isinstance(source, Log) and not verb.keys
    return verb.duplicates is Duplicates.KEEP


def _every_row(job: Job, verb: Append, source: Source) -> Publication:
    """Add all rows. A log's positions tell that they are new; elsewhere a receipt does."""
    is_log = isinstance(source, Log)
    first = () if is_log else receipts.begin_once(job)
    fitted = fit(job, stage(job, source), compared=())
    rows = count(job, fitted.staged, [], verb.on_empty).rows
    added = insert_rows(job.target, fitted.staged, fitted.written, job.dialect)
    last = () if is_log else (receipts.written(job, rows),)
    return Publication(staged=rows, statements=(*fitted.added, *first, added, *last))


def _tell_equal(job: Job, fitted: Fitted, rows: int) -> None:
    query = staging.distinct_rows(fitted.staged.sql, fitted.written, job.dialect)
    [(once,)] = ask(staging.facts(f"(\n{query}\n) as once", []), job.runner)
    if once < rows:
        log.warning(
            "%s: %d of %d staged rows are equal to another, and count once; with duplicates=%r "
            "each is added",
            *(job.load.target, rows - once, rows, str(Duplicates.KEEP)),
        )


def _by_key(job: Job, verb: Append, fitted: Fitted) -> tuple[int, tuple[Statement, ...]]:
    where = f"the source of {job.load.target}"
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    order = require(verb.order_by, fitted.staged, setting="order_by", where=where)
    nulls = refuse_null_keys(keys, job.dialect)
    counts = count(job, fitted.staged, [nulls.condition], verb.on_empty)
    if verb.null_keys is NullKeys.REFUSE:
        refuse(job, counts, [nulls])
    if order:
        rows = last_row_per_key(
            *(job, fitted.staged, fitted.written, keys, order, verb.text_order, fitted.copies)
        )
    else:
        rows = distinct_row_per_key(job, fitted.staged, fitted.written, keys)
    wanted = Wanted(
        source=rows,
        keys=keys,
        inserted=fitted.written,
        updated=(),
        null_keys=bool(counts.met[0]),
    )
    return counts.rows, upsert(job, wanted)
