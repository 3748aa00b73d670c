"""History: keep every version of a row with the time it was valid (SCD type 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.loads.checks import (
    Test,
    count,
    distinct_row_per_key,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.cursors import write_cursor
from airflow_dataops.core.loads.fitting import Fitted, fit, require
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.specs import Missing, NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.sql import histories
from airflow_dataops.core.sql.histories import Timeline
from airflow_dataops.core.sql.staging import any_null
from airflow_dataops.core.sql.statements import Statement
from airflow_dataops.core.sql.types import misfit
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.checks import Counts
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import History
    from airflow_dataops.core.sql.tables import Table

_VERSIONS = "versions are compared column by column: leave it out of the query"


def prepare_history(job: Job, verb: History, source: Source) -> Publication:
    """See `History`."""
    name = str(job.load.target)
    if not verb.keys:
        raise ConfigError(f"{name}: History needs keys, the columns that name a thing.")
    names = (verb.columns.valid_from, verb.columns.valid_to, verb.columns.is_current)
    times = require(names, job.target, setting="columns", where=name)
    require(verb.keys, job.target, setting="keys", where=name)
    closed_at = _closed_at(job, verb, times[0])
    staged = stage(job, source)
    where = f"the source of {name}"
    effective = require((verb.effective_at,), staged, setting="effective_at", where=where)
    known = {c.casefold() for c in job.target.names} - {c.casefold() for c in times}
    helpers = [c for c in effective if c.casefold() not in known]
    fitted = fit(job, staged, consumed=helpers, given=times)
    counts, keys, effective_at = _checked(job, verb, fitted)
    _check_time(job, fitted, effective_at, times[0])
    refuse_incomparable(job, fitted.staged, fitted.written, _VERSIONS)
    columns = tuple(dict.fromkeys((*fitted.written, effective_at)))
    rows = distinct_row_per_key(job, fitted.staged, columns, (*keys, effective_at))
    line = _line(job, verb, fitted, rows, keys, effective_at, times, null_keys=bool(counts.met[1]))
    new = job.stage_query(histories.incoming(line, closed_at))
    versions = job.stage_query(histories.timeline(line, new.sql))
    closing = (histories.close_missing(line, closed_at),) if closed_at is not None else ()
    return Publication(
        staged=counts.rows,
        statements=(*fitted.added, *histories.write_timeline(line, versions.sql), *closing),
    )


def _checked(job: Job, verb: History, fitted: Fitted) -> tuple[Counts, tuple[str, ...], str]:
    where = f"the source of {job.load.target}"
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    [effective_at] = require(
        (verb.effective_at,), fitted.staged, setting="effective_at", where=where
    )
    no_time = Test(
        condition=Statement(sql=any_null((effective_at,), job.dialect)),
        problem=f"have NULL in effective_at ({effective_at}): leave them out of the query",
    )
    nulls = refuse_null_keys(keys, job.dialect)
    counts = count(job, fitted.staged, [no_time.condition, nulls.condition], verb.on_empty)
    refuse(job, counts, [no_time, nulls] if verb.null_keys is NullKeys.REFUSE else [no_time])
    return counts, keys, effective_at


def _check_time(job: Job, fitted: Fitted, effective_at: str, valid_from: str) -> None:
    have, want = fitted.staged.type_of(effective_at), job.target.type_of(valid_from)
    reason = misfit(have, want, job.dialect)
    if reason is not None:
        raise RunError(
            f"{job.load.target}: {effective_at} is {have} and {valid_from} is {want}, and "
            f"{reason}; cast it in the query. Nothing was written."
        )


def _closed_at(job: Job, verb: History, valid_from: str) -> str | None:
    if verb.missing is Missing.IGNORE:
        return None
    if verb.closed_at is None:
        raise ConfigError(
            f"{job.load.target}: missing=close needs closed_at, the time of the picture that the "
            "source is; such as the end of the data interval."
        )
    type_ = job.target.type_of(valid_from)
    return write_cursor(adapt(verb.closed_at, valid_from, type_, job.dialect), "closed_at")


def _line(
    job: Job,
    verb: History,
    fitted: Fitted,
    rows: Table,
    keys: tuple[str, ...],
    effective_at: str,
    times: tuple[str, ...],
    *,
    null_keys: bool,
) -> Timeline:
    carried = tuple(column for column in fitted.written if column not in keys)
    compared = tuple(column for column in carried if column != effective_at)
    if verb.compare_columns is not None:
        where = f"the source of {job.load.target}"
        compared = require(verb.compare_columns, rows, setting="compare_columns", where=where)
    valid_from, valid_to, is_current = times
    return Timeline(
        target=job.target.sql,
        source=rows.sql,
        keys=keys,
        effective_at=effective_at,
        time_type=job.target.type_of(valid_from),
        compared=compared,
        carried=carried,
        valid_from=valid_from,
        valid_to=valid_to,
        is_current=is_current,
        dialect=job.dialect,
        null_keys=null_keys,
        absent={c: rows.type_of(c) for c in carried if c not in job.target.names},
    )
