"""Increment: take over what is new in the source, by a watermark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines.statements import Statement, ask, send
from airflow_dataops.core.loads.alignment import Fitted, fit, require
from airflow_dataops.core.loads.checks import (
    Counts,
    Test,
    count,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.choices import NonFinite
from airflow_dataops.core.loads.cursors import write_cursor, write_scope
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.ordering import drop_preceding, last_row_per_key, refuse_text
from airflow_dataops.core.loads.sources import Log
from airflow_dataops.core.loads.specs import NullCursor, NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.loads.verbs.append import WHOLE_ROWS
from airflow_dataops.core.loads.watermarks import read_mark
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.core.sql import orders, watermarks
from airflow_dataops.core.sql.additions import insert_missing_copies, insert_rows
from airflow_dataops.core.sql.staging import any_null, with_value
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Increment
    from airflow_dataops.core.loads.watermarks import Mark
    from airflow_dataops.core.sql.tables import Table


def prepare_increment(job: Job, verb: Increment, source: Source) -> Publication:
    """See `Increment`."""
    name = str(job.load.target)
    require(verb.keys, job.target, setting="keys", where=name)
    _check_choices(verb, name)
    mark = read_mark(job, verb, source)
    staged = stage(job, source.since(mark.since))
    where = f"the source of {name}"
    [cursor] = require((verb.cursor,), staged, setting="cursor", where=where)
    refuse_text(job, staged, [cursor], setting="cursor")
    _drop_past_the_end(job, mark, staged, cursor)
    per = require(verb.per, staged, setting="per", where=where)
    helpers = {c for c in (cursor, *per) if c.casefold() not in _folded(job)}
    # Of the values that the source has, which is asked for what is past them: a mark that the
    # target rounded up would pass over rows.
    type_ = staged.type_of(cursor)
    marks = _marks(job, staged, cursor, per, orders.not_finite(cursor, type_, job.dialect))
    fitted = fit(job, staged, consumed=helpers, ordering=(*verb.order_by, verb.cursor))
    [cursor] = require((verb.cursor,), fitted.staged, setting="cursor", where=where)
    endless = orders.not_finite(cursor, fitted.staged.type_of(cursor), job.dialect)
    rows, statements = _written(job, verb, fitted, cursor, endless, is_log=isinstance(source, Log))
    run = job.load.attempt.run_id
    raised = watermarks.raise_watermarks(mark.marked, marks, run, type_) if marks else ()
    return Publication(
        staged=rows,
        statements=(*fitted.added, *mark.first, *statements, *raised),
        watermark=_shown(marks),
    )


def _check_choices(verb: Increment, name: str) -> None:
    if verb.keys:
        return
    if verb.null_cursor is NullCursor.INCLUDE:
        raise ConfigError(
            f"{name}: rows without a cursor are read by each load; without keys they cannot be "
            "told from those that are there. Name keys, or set null_cursor to exclude."
        )
    if verb.nonfinite_cursor is NonFinite.INCLUDE:
        raise ConfigError(
            f"{name}: rows whose cursor is NaN or infinite are read by each load; without keys "
            "they cannot be told from those that are there. Name keys, or set nonfinite_cursor to "
            "exclude."
        )


def _drop_past_the_end(job: Job, mark: Mark, staged: Table, cursor: str) -> None:
    """Leave rows for later that a source which cannot filter has given."""
    if mark.since.until is None:
        return
    until = adapt(mark.since.until, cursor, staged.type_of(cursor), job.dialect)
    send(watermarks.from_end_on(staged.sql, cursor, until, job.dialect), job.runner)


def _written(
    job: Job, verb: Increment, fitted: Fitted, cursor: str, endless: str | None, *, is_log: bool
) -> tuple[int, tuple[Statement, ...]]:
    where = f"the source of {job.load.target}"
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    counts = _checked(job, verb, fitted, cursor, keys, endless)
    rows = fitted.staged
    if verb.null_cursor is NullCursor.EXCLUDE and counts.met[0]:
        rows = job.stage_query(with_value(rows.sql, cursor, job.dialect))
    if endless and verb.nonfinite_cursor is NonFinite.EXCLUDE and counts.met[1]:
        rows = job.stage_query(orders.finite_rows(rows.sql, endless))
    if not keys:
        return counts.rows, (_added(job, fitted, rows, cursor, is_log=is_log),)
    named = require(verb.order_by, rows, setting="order_by", where=where)
    # Of rows that are alike by order_by the one with the greatest cursor is the last, as it is
    # where they come in several loads.
    finite = endless is None or verb.nonfinite_cursor is not NonFinite.INCLUDE
    order = tuple(dict.fromkeys((*named, cursor))) if finite or not named else named
    columns = tuple(dict.fromkeys((*fitted.written, *order)))
    rows = last_row_per_key(job, rows, columns, keys, order, verb.text_order, fitted.copies)
    again = _read_again(verb, fitted, keys, named, cursor)
    if again and not is_log:  # whose rows are all new
        nulls = bool(counts.met[2])
        drop_preceding(job, rows, keys, again, verb.text_order, null_keys=nulls)
    wanted = Wanted(
        source=rows,
        keys=keys,
        inserted=fitted.written,
        updated=tuple(column for column in fitted.written if column not in keys),
        null_keys=bool(counts.met[2]),
        whole=fitted.whole,
    )
    return counts.rows, upsert(job, wanted)


def _read_again(
    verb: Increment, fitted: Fitted, keys: tuple[str, ...], named: tuple[str, ...], cursor: str
) -> tuple[str, ...]:
    """Return the columns that tell whether a row that is read again is older than the table's.

    None where the cursor tells which row of a key is the last: then that one is always among
    those that are read. Unless a key has rows of several scopes, each with its own watermark.
    """
    if named and named[0] != cursor:
        return named
    scoped = {c.casefold() for c in verb.per} - {c.casefold() for c in keys}
    return (named or (cursor,)) if scoped and cursor in fitted.written else ()


def _checked(
    job: Job,
    verb: Increment,
    fitted: Fitted,
    cursor: str,
    keys: tuple[str, ...],
    endless: str | None,
) -> Counts:
    """Count rows without a cursor, with one that nothing is past, and with NULL in the key."""
    tests = [_null_cursor(cursor, job.dialect), _endless_cursor(cursor, endless)]
    if keys:
        tests.append(refuse_null_keys(keys, job.dialect))
    counts = count(job, fitted.staged, [test.condition for test in tests], verb.on_empty)
    refused = (
        verb.null_cursor is NullCursor.REFUSE,
        verb.nonfinite_cursor is NonFinite.REFUSE,
        verb.null_keys is NullKeys.REFUSE,
    )
    met = tuple(n if told else 0 for n, told in zip(counts.met, refused, strict=False))
    refuse(job, replace(counts, met=met), tests)
    return counts


def _added(job: Job, fitted: Fitted, rows: Table, cursor: str, *, is_log: bool) -> Statement:
    if is_log:  # its positions tell that all rows are new
        return insert_rows(job.target, rows, fitted.written, job.dialect)
    refuse_incomparable(job, rows, fitted.written, WHOLE_ROWS)
    among = watermarks.as_new_as(job.target, rows, cursor, job.dialect)
    return insert_missing_copies(job.target, rows, fitted.written, job.dialect, among=among)


def _null_cursor(cursor: str, dialect: str) -> Test:
    return Test(
        condition=Statement(sql=any_null((cursor,), dialect)),
        problem=(
            f"have NULL in the cursor ({cursor}): set null_cursor to {NullCursor.INCLUDE} or "
            f"{NullCursor.EXCLUDE}, or leave them out of the query"
        ),
    )


def _endless_cursor(cursor: str, endless: str | None) -> Test:
    return Test(
        condition=Statement(sql=endless or "false"),
        problem=(
            f"have NaN or an infinite value in the cursor ({cursor}), which nothing is past: set "
            f"nonfinite_cursor to {NonFinite.INCLUDE} or {NonFinite.EXCLUDE}, or leave them out of "
            "the query"
        ),
    )


def _marks(
    job: Job, staged: Table, cursor: str, per: tuple[str, ...], endless: str | None
) -> tuple[tuple[str, str], ...]:
    query = watermarks.greatest(staged.sql, cursor, per, job.dialect, leaving_out=endless)
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
