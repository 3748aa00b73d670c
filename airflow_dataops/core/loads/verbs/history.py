"""History: keep every version of a row with the time it was valid (SCD type 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.engines.types import misfit
from airflow_dataops.core.loads.alignment import Fitted, fit, require
from airflow_dataops.core.loads.checks import (
    Test,
    count,
    distinct_row_per_key,
    refuse,
    refuse_incomparable,
    refuse_null_keys,
)
from airflow_dataops.core.loads.choices import SameTime
from airflow_dataops.core.loads.cursors import write_cursor
from airflow_dataops.core.loads.deletions import refuse_deletion
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.ordering import not_finite, refuse_text
from airflow_dataops.core.loads.specs import Missing, NullKeys
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.sql import histories
from airflow_dataops.core.sql.histories import Timeline
from airflow_dataops.core.sql.staging import any_null
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.checks import Counts
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import History
    from airflow_dataops.core.sql.tables import Table

_SHOWN = 3
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
    becoming = {verb.effective_at: times[0]}
    fitted = fit(job, staged, consumed=helpers, given=times, becoming=becoming)
    counts, keys, effective_at = _checked(job, verb, fitted)
    _check_time(job, fitted, effective_at, times[0])
    refuse_incomparable(job, fitted.staged, fitted.written, _VERSIONS)
    begin = fitted.copies.get(effective_at, effective_at)
    columns = tuple(dict.fromkeys((*fitted.written, begin)))
    rows = distinct_row_per_key(job, fitted.staged, columns, (*keys, effective_at), fitted.copies)
    line = _line(job, verb, fitted, rows, keys, effective_at, times, null_keys=bool(counts.met[1]))
    new = job.stage_query(histories.incoming(line, closed_at))
    if verb.same_time is SameTime.REFUSE:
        _refuse_other_versions(job, line, new)
    versions = job.stage_query(histories.timeline(line, new.sql))
    if job.bystanders and ask(histories.superfluous(line, versions.sql), job.runner):
        refuse_deletion(job, "versions that say nothing new")
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
    refuse_text(job, fitted.staged, [effective_at], setting="effective_at")
    nulls = refuse_null_keys(keys, job.dialect)
    endless = not_finite(job, fitted.staged, [effective_at], setting="effective_at")
    tests = [no_time, nulls, *endless]
    counts = count(job, fitted.staged, [test.condition for test in tests], verb.on_empty)
    allowed = verb.null_keys is not NullKeys.REFUSE
    met = tuple(
        0 if allowed and test is nulls else n for n, test in zip(counts.met, tests, strict=True)
    )
    refuse(job, structs.replace(counts, met=met), tests)
    return counts, keys, effective_at


def _refuse_other_versions(job: Job, line: Timeline, new: Table) -> None:
    """Fail if a row says otherwise than the version that begins at its time."""
    found = ask(histories.other_versions(line, new.sql, _SHOWN), job.runner)
    if found:
        names = (*line.keys, line.valid_from)
        listed = "; ".join(
            ", ".join(f"{name} = {value!r}" for name, value in zip(names, row, strict=True))
            for row in found
        )
        raise RunError(
            f"{job.load.target}: rows differ from the versions that begin at their time: {listed}. "
            f"Set same_time to {SameTime.REPLACE} if they correct them. Nothing was written."
        )


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
        effective_at=fitted.copies.get(effective_at, effective_at),
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
