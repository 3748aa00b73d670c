"""Increment: take over what is new in the source, by a watermark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_dataops.core.loads.checks import (
    Test,
    count,
    one_row_per_key,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.cursors import write_cursor, write_scope
from airflow_dataops.core.loads.fitting import Fitted, fit, require
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.marks import read_since_watermark, watermarked
from airflow_dataops.core.loads.specs import NullCursor, NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.verbs.append import WHOLE_ROWS
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.core.sql import watermarks
from airflow_dataops.core.sql.additions import insert_new_rows
from airflow_dataops.core.sql.staging import any_null, with_value
from airflow_dataops.core.sql.statements import Statement, ask
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Increment


def prepare_increment(job: Job, verb: Increment, source: Source) -> Publication:
    """See `Increment`."""
    name = str(job.load.target)
    require(verb.keys, job.target, setting="keys", where=name)
    if verb.null_cursor is NullCursor.INCLUDE and not verb.keys:
        raise ConfigError(
            f"{name}: rows without a cursor are read by each load; without keys they cannot be "
            "told from those that are there. Name keys, or set null_cursor to exclude."
        )
    staged = stage(job, source.since(read_since_watermark(job, verb)))
    where = f"the source of {name}"
    [cursor] = require((verb.cursor,), staged, setting="cursor", where=where)
    per = require(verb.per, staged, setting="per", where=where)
    helpers = {c for c in (cursor, *per) if c.casefold() not in _folded(job)}
    fitted = fit(job, staged, consumed=helpers)
    [cursor] = require((verb.cursor,), fitted.staged, setting="cursor", where=where)
    per = require(verb.per, fitted.staged, setting="per", where=where)
    rows, statements = _written(job, verb, fitted, cursor)
    marks = _marks(job, fitted, cursor, per)
    attempt, type_ = job.load.attempt, fitted.staged.type_of(cursor)
    raised = watermarks.raise_watermarks(watermarked(job, verb), marks, attempt.run_id, type_)
    return Publication(
        staged=rows,
        statements=(*fitted.added, *statements, *raised),
        watermark=_shown(marks),
    )


def _written(
    job: Job, verb: Increment, fitted: Fitted, cursor: str
) -> tuple[int, tuple[Statement, ...]]:
    where = f"the source of {job.load.target}"
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    order = require(verb.order_by, fitted.staged, setting="order_by", where=where) or (cursor,)
    tests = [_null_cursor(cursor, job.dialect)]
    if keys:
        tests.append(refuse_null_keys(keys, job.dialect))
    counts = count(job, fitted.staged, [test.condition for test in tests], verb.on_empty)
    refused = [verb.null_cursor is NullCursor.REFUSE, verb.null_keys is NullKeys.REFUSE]
    met = tuple(n if refused[i] else 0 for i, n in enumerate(counts.met))
    refuse(job, type(counts)(rows=counts.rows, met=met), tests)
    rows = fitted.staged
    if verb.null_cursor is NullCursor.EXCLUDE and counts.met[0]:
        rows = job.stage_query(with_value(rows.sql, cursor, job.dialect))
    if not keys:
        refuse_incomparable(job, rows, fitted.written, WHOLE_ROWS)
        among = watermarks.as_new_as(job.target, rows, cursor, job.dialect)
        added = insert_new_rows(job.target, rows, fitted.written, job.dialect, among=among)
        return counts.rows, (added,)
    columns = tuple(dict.fromkeys((*fitted.written, *order)))
    wanted = Wanted(
        source=one_row_per_key(job, rows, columns, keys, order),
        keys=keys,
        inserted=fitted.written,
        updated=tuple(column for column in fitted.written if column not in keys),
        null_keys=bool(counts.met[1]),
        whole=fitted.whole,
    )
    return counts.rows, upsert(job, wanted)


def _null_cursor(cursor: str, dialect: str) -> Test:
    return Test(
        condition=Statement(sql=any_null((cursor,), dialect)),
        problem=(
            f"have NULL in the cursor ({cursor}): set null_cursor to {NullCursor.INCLUDE} or "
            f"{NullCursor.EXCLUDE}, or leave them out of the query"
        ),
    )


def _marks(
    job: Job, fitted: Fitted, cursor: str, per: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    query = watermarks.greatest(fitted.staged.sql, cursor, per, job.dialect)
    return tuple(
        (write_scope(scope), write_cursor(mark, cursor))
        for *scope, mark in ask(query, job.runner)
        if mark is not None
    )


def _shown(marks: tuple[tuple[str, str], ...]) -> str | None:
    if not marks:
        return None
    if marks[0][0]:
        return json.dumps(dict(sorted(marks)))
    return marks[0][1]


def _folded(job: Job) -> set[str]:
    return {name.casefold() for name in job.target.names}
