"""Reads watermarks, and says from where on a source is to be read."""

from __future__ import annotations

import hashlib
import logging
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.loads.choices import NonFinite, Reading
from airflow_dataops.core.loads.cursors import before, held_alike, read_cursor, read_scope
from airflow_dataops.core.loads.emptied import forgets
from airflow_dataops.core.loads.lease import control_table, ensure_table
from airflow_dataops.core.loads.sources import Named
from airflow_dataops.core.loads.specs import NullCursor
from airflow_dataops.core.loads.values import adapt
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import watermarks
from airflow_dataops.core.sql.watermarks import Since, Watermarked
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Increment
    from airflow_dataops.core.sql.watermarks import Floor

log = logging.getLogger(__name__)

_MAP_INDEX = re.compile(r"\[\d+\]$")


class Mark(Struct, frozen=True):
    """How far a load has read its source.

    Attributes:
        since: what of it is to be read.
        first: statements that come before the watermarks are raised.
    """

    marked: Watermarked
    since: Since
    first: tuple[Statement, ...] = ()


def read_mark(job: Job, verb: Increment, source: Source) -> Mark:
    """Return what of a source is to be read, and where that is kept.

    Raises:
        ConfigError: the watermark's name is another load's.
        RunError: the target has lost its rows, and that is to fail.
    """
    load = _load_of(job, source)
    marked = _marked(job, verb, load)
    create = watermarks.create_watermarks(marked.table, job.engine)
    ensure_table(job.runner, marked.table, create.sql, job.load.wait)
    found = dict(ask(watermarks.read_watermarks(marked), job.runner))
    first = _named(marked, verb, load, found.pop(watermarks.LOAD, None), job)
    if verb.reading is Reading.ALL:
        found, first = {}, (watermarks.drop_watermarks(marked), *first)
    elif not found:
        found, renamed = _of_earlier_versions(job, verb, marked)
        first = (*renamed, *first)
    if found:
        forgotten = forgets(job, f"the cursor {verb.cursor} was read up to {_shown(found)}")
        found, first = ({}, (*forgotten, *first)) if forgotten else (found, first)
    since = Since(
        cursor=verb.cursor,
        per=verb.per,
        floors=tuple(_floor(job, verb, scope, mark) for scope, mark in sorted(found.items())),
        nulls=verb.null_cursor is not NullCursor.EXCLUDE,
        until=_adapted(job, verb, verb.until),
        endless=verb.nonfinite_cursor is NonFinite.INCLUDE,
    )
    return Mark(marked=marked, since=since, first=first)


def _load_of(job: Job, source: Source) -> str:
    """Return what tells this load from others: its task, and the source.

    Which of a task's mapped instances reads a source may change from run to run, so that the
    source alone tells these apart.
    """
    origin = job.load.origin or (source.origin if isinstance(source, Named) else "")
    owner = job.load.attempt.owner
    if not origin:
        return owner
    digest = hashlib.sha256(origin.encode()).hexdigest()[:12]
    return f"{_MAP_INDEX.sub('', owner)} from {digest}"


def _marked(job: Job, verb: Increment, load: str) -> Watermarked:
    named = f"of {load}" if verb.watermark_name is None else f"named {verb.watermark_name}"
    return Watermarked(
        table=control_table(job.load, watermarks.WATERMARKS, job.engine),
        target=str(job.load.target),
        partition=job.load.partition,
        cursor=f"{_columns(verb)} {named}",
        engine=job.engine,
    )


def _columns(verb: Increment) -> str:
    return ",".join((verb.cursor, *verb.per))


def _named(
    marked: Watermarked, verb: Increment, load: str, other: str | None, job: Job
) -> tuple[Statement, ...]:
    """Return the statements that keep whose a named watermark is."""
    if verb.watermark_name is None or other == load:
        return ()
    if other is not None:
        task, _, origin = other.partition(" from ")
        mine, _, own_origin = load.partition(" from ")
        if task != mine and origin != own_origin:
            raise ConfigError(
                f"{job.load.target}: the watermark {verb.watermark_name!r} is that of {task}, "
                f"which reads another source than {mine}: rows that one of them has not read "
                "would be passed over. Give each load a watermark_name of its own; if this is "
                f"that load under a new name, delete the row with the scope {watermarks.LOAD} "
                f"from {marked.table}."
            )
        log.warning(
            "%s: the watermark %r was that of %s until now, and goes on as that of %s",
            *(job.load.target, verb.watermark_name, other, load),
        )
    return watermarks.name_load(marked, load, job.load.attempt.run_id)


def _of_earlier_versions(
    job: Job, verb: Increment, marked: Watermarked
) -> tuple[dict[str, str], tuple[Statement, ...]]:
    """Take over the watermark that all loads of a target had in common."""
    old = replace(marked, cursor=_columns(verb))
    found = dict(ask(watermarks.read_watermarks(old), job.runner))
    if not found:
        return {}, ()
    log.warning(
        "%s: took over the watermark (%s) of an earlier version, which all loads of the table "
        "had in common. If another load has moved it, read this source once from its beginning "
        "(reading=%r)",
        *(job.load.target, _shown(found), str(Reading.ALL)),
    )
    return found, (watermarks.rename_watermarks(marked, old.cursor),)


def _shown(found: dict[str, str]) -> str:
    return ", ".join(f"{scope} {mark}".strip() for scope, mark in sorted(found.items()))


def _floor(job: Job, verb: Increment, scope: str, mark: str) -> Floor:
    cursor = before(read_cursor(mark), verb.lag, verb.cursor)
    column = resolve(verb.cursor, job.target.names)
    if column is not None and not verb.keys:
        cursor = held_alike(cursor, job.target.type_of(column), job.dialect)
    return watermarks.Floor(cursor=_adapted(job, verb, cursor), values=read_scope(scope))


def _adapted(job: Job, verb: Increment, cursor: object) -> object:
    column = resolve(verb.cursor, job.target.names)
    if column is None or cursor is None:
        return cursor
    return adapt(cursor, column, job.target.type_of(column), job.dialect)
