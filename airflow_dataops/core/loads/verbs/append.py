"""Append: add the rows that the table does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.checks import (
    count,
    distinct_row_per_key,
    one_row_per_key,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.fitting import fit, require
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.specs import NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.core.sql.additions import insert_new_rows

if TYPE_CHECKING:
    from airflow_dataops.core.loads.fitting import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Append
    from airflow_dataops.core.sql.statements import Statement

WHOLE_ROWS = "without keys a row is the same when all columns are: name keys"


def prepare_append(job: Job, verb: Append, source: Source) -> Publication:
    """See `Append`."""
    name = str(job.load.target)
    require(verb.keys, job.target, setting="keys", where=name)
    fitted = fit(job, stage(job, source))
    if not verb.keys:
        refuse_incomparable(job, fitted.staged, fitted.written, WHOLE_ROWS)
        rows = count(job, fitted.staged, [], verb.on_empty).rows
        added = insert_new_rows(job.target, fitted.staged, fitted.written, job.dialect)
        return Publication(staged=rows, statements=(*fitted.added, added))
    rows, statements = _by_key(job, verb, fitted)
    return Publication(staged=rows, statements=(*fitted.added, *statements))


def _by_key(job: Job, verb: Append, fitted: Fitted) -> tuple[int, tuple[Statement, ...]]:
    where = f"the source of {job.load.target}"
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    order = require(verb.order_by, fitted.staged, setting="order_by", where=where)
    nulls = refuse_null_keys(keys, job.dialect)
    counts = count(job, fitted.staged, [nulls.condition], verb.on_empty)
    if verb.null_keys is NullKeys.REFUSE:
        refuse(job, counts, [nulls])
    if order:
        rows = one_row_per_key(job, fitted.staged, fitted.written, keys, order)
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
