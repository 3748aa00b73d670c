"""Positions of logs: read before a load, committed with its rows, told to the log afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.engines.statements import Statement, ask
from airflow_dataops.core.loads.emptied import forgets
from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.lease import control_table, ensure_table
from airflow_dataops.core.loads.sources import Log, Source
from airflow_dataops.core.loads.specs import (
    ApplyChanges,
    Increment,
    LoadPartition,
    Merge,
    Replace,
)
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import watermarks
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.specs import Verb
    from airflow_dataops.core.sql.watermarks import Watermarked


class Resumed(Struct, frozen=True):
    """A source that goes on where the target's rows end; any other source is as it was.

    Attributes:
        stored: the positions that the target has, by partition.
        first: statements with which the publication begins.
    """

    source: Source
    stored: dict[str, int] = {}
    first: tuple[Statement, ...] = ()


def resumed(job: Job, source: Source) -> Resumed:
    """Return where a source is to be read from.

    Raises:
        ConfigError: the verb and a log do not go together.
        RunError: the target has lost its rows, and that is to fail.
    """
    if not isinstance(source, Log):
        return Resumed(source=source)
    _check_verb(job, job.load.verb)
    marked = _marked(job, source)
    create = watermarks.create_watermarks(marked.table, job.engine)
    ensure_table(job.runner, marked.table, create.sql, job.load.wait)
    found = ask(watermarks.read_positions(marked), job.runner)
    stored = {scope: int(mark) for scope, mark, _ in found}
    first: tuple[Statement, ...] = ()
    if not _may_empty(job.load.verb) and any(run and int(mark) > 0 for _, mark, run in found):
        first = forgets(job, f"{source.log} was read up to {json.dumps(stored, sort_keys=True)}")
    if first:
        stored = dict.fromkeys(stored, watermarks.BEGINNING)
    return Resumed(source=source.resume(stored), stored=stored, first=first)


def kept(job: Job, resumed: Resumed, publication: Publication) -> Publication:
    """Return a publication that commits the positions with the rows."""
    source = resumed.source
    if not isinstance(source, Log):
        return publication
    reached = dict(sorted(source.reached().items()))
    marks = tuple((scope, str(position)) for scope, position in reached.items())
    # Positions without a run are those of a log of which nothing has been loaded yet.
    run, type_ = (
        job.load.attempt.run_id if publication.staged else "",
        job.engine.loads.types.integer,
    )
    raised = watermarks.raise_watermarks(_marked(job, source), marks, run, type_)
    return msgspec.structs.replace(
        publication,
        statements=(*resumed.first, *publication.statements, *raised),
        watermark=publication.watermark or json.dumps(reached),
    )


def alone(job: Job, resumed: Resumed) -> Publication | None:
    """Return a publication of positions without rows; None where they are kept already.

    So a log that was empty when it was first read is read from there the next time.
    """
    source = resumed.source
    if not isinstance(source, Log) or dict(source.reached()) == resumed.stored:
        return None
    return kept(job, resumed, Publication(staged=0, statements=()))


def acknowledge(resumed: Resumed, *, published: bool) -> None:
    """Tell a log how far it was read. The target's positions count, so this may fail.

    Args:
        published: whether what this load read is in the target. Where it is not, or not yet, what
            earlier ones read is told: of a publication that nobody waited for, and of one whose
            task died before it could tell.
    """
    source = resumed.source
    if isinstance(source, Log):
        with Quietly(f"tell {source.log} how far it was read"):
            source.acknowledge(source.reached() if published else resumed.stored)


def _check_verb(job: Job, verb: Verb) -> None:
    if isinstance(verb, LoadPartition):
        raise ConfigError(
            f"{job.load.target}: a load of a log has what is new in it, and LoadPartition would "
            "put that in the place of what it loaded before; use Append or Merge."
        )
    if isinstance(verb, Increment) and verb.until is not None:
        raise ConfigError(
            f"{job.load.target}: a log is read from its positions, and rows past `until` would "
            "not be read again; leave `until` out."
        )


def _may_empty(verb: Verb) -> bool:
    """Tell whether a table may have no rows because of what was loaded."""
    if isinstance(verb, Merge):
        return verb.delete_flag is not None
    return isinstance(verb, (ApplyChanges, Replace))


def _marked(job: Job, source: Log) -> Watermarked:
    return watermarks.Watermarked(
        table=control_table(job.load, watermarks.WATERMARKS, job.engine),
        target=str(job.load.target),
        partition=job.load.partition,
        cursor=source.log,
        engine=job.engine,
    )
