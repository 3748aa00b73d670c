"""ApplyChanges: apply insert, update and delete events in the order of their sequence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import ask, send
from airflow_dataops.core.loads.alignment import require
from airflow_dataops.core.loads.checks import refuse_ties
from airflow_dataops.core.loads.choices import SameSequence
from airflow_dataops.core.loads.events import Events, read_events
from airflow_dataops.core.loads.job import Publication
from airflow_dataops.core.loads.lease import ensure_table
from airflow_dataops.core.loads.specs import ApplyChanges
from airflow_dataops.core.loads.writing import Wanted, upsert
from airflow_dataops.core.sql import changes as sql
from airflow_dataops.core.sql import orders, staging
from airflow_dataops.core.sql.changes import Changes
from airflow_dataops.core.sql.rounding import Loss, loss
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.statements import Statement
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.sql.tables import Table

log = logging.getLogger(__name__)

_SHOWN = 3


def prepare_changes(job: Job, verb: ApplyChanges, source: Source) -> Publication:
    """See `ApplyChanges`."""
    name = str(job.load.target)
    if not verb.keys:
        raise ConfigError(f"{name}: ApplyChanges needs keys, the columns that name a row.")
    keys = require(verb.keys, job.target, setting="keys", where=name)
    [sequence] = require((verb.sequence_column,), job.target, setting="sequence_column", where=name)
    named = (verb.soft_delete,) if verb.soft_delete else ()
    flag = require(named, job.target, setting="soft_delete", where=name)
    _check_kept(job, job.target, sequence)
    tombstones = sql.tombstone_table(job.load.target, job.engine)
    create = sql.create_tombstones(tombstones, job.target, keys, sequence, job.dialect)
    ensure_table(job.runner, tombstones, create.sql, job.load.wait)
    kept = job.read(tombstones)
    _check_kept(job, kept, sequence)
    _check_tombstones(job, kept, (*keys, sequence))
    events = read_events(job, verb, source, given=(sequence, *flag))
    to = Changes(
        target=job.target.sql,
        tombstones=render(tombstones, job.dialect),
        keys=keys,
        sequence=sequence,
        dialect=job.dialect,
        null_keys=events.null_keys,
        flag=flag[0] if flag else None,
        equal=verb.same_sequence is SameSequence.LAST,
    )
    statements = _soft(job, to, events, flag[0]) if flag else _hard(job, to, events)
    return Publication(staged=events.rows, statements=(*events.added, *statements))


def _check_tombstones(job: Job, tombstones: Table, names: Sequence[str]) -> None:
    """Refuse tombstones that hold less than the target, such as made before it was altered."""
    kept = {column.name: column for column in tombstones.columns}
    unlike = [
        f"{column.name} {column.declared}"
        for column in map(job.target.column, names)
        if column.name not in kept or loss(column, kept[column.name], job.dialect) is not Loss.NONE
    ]
    if unlike:
        raise RunError(
            f"{tombstones.relation} keeps the keys that were deleted from {job.load.target}, and "
            f"cannot hold its {', '.join(unlike)}: give it columns like that, or drop it, which "
            "forgets the deletions. Nothing was written."
        )


def _hard(job: Job, to: Changes, events: Events) -> tuple[Statement, ...]:
    last = _last(job, to, events, events.table.sql)
    _check_ties(job, to, events, last)
    wanted = _wanted(to, events, last, (*events.columns, to.sequence), deleted=sql.DELETED)
    return (*upsert(job, wanted), *sql.bury(to, last.sql, unknown_only=False))


def _soft(job: Job, to: Changes, events: Events, flag: str) -> tuple[Statement, ...]:
    """Apply each key's last row, then mark those whose last event is a deletion."""
    carrying = _last(job, to, events, sql.upserts_only(events.table.sql, job.dialect))
    last = _last(job, to, events, events.table.sql)
    _check_ties(job, to, events, last)
    rows = job.stage_query(sql.with_flag(carrying.sql, flag, job.dialect))
    wanted = _wanted(to, events, rows, (*events.columns, to.sequence, flag), deleted=None)
    return (
        *upsert(job, wanted),
        sql.mark_deleted(to, last.sql, flag),
        *sql.bury(to, last.sql, unknown_only=True),
    )


def _last(job: Job, to: Changes, events: Events, source: str) -> Table:
    """Stage each key's last event, without those that the target has seen or outlived."""
    columns = (*events.columns, to.sequence, sql.DELETED)
    query = staging.last_rows(source, columns, to.keys, (to.sequence,), job.dialect)
    last = job.stage_query(query)
    for seen in (to.target, to.tombstones):
        if ask(sql.as_late(to, seen, last.sql), job.runner):
            _check_same_sequence(job, to, events, last, seen)
            _tell_of_tombstones(job, to, seen)
            send(sql.drop_stale(to, seen, last.sql), job.runner)
    return last


def _check_same_sequence(job: Job, to: Changes, events: Events, last: Table, seen: str) -> None:
    """Refuse events that say otherwise than what was loaded of their key and sequence."""
    if _choice(job) is not SameSequence.REFUSE:
        return
    if seen == to.target:
        columns = [c for c in events.columns if c not in to.keys and c in job.target.names]
        query = sql.contradicting(to, last, job.target, columns, _SHOWN)
    else:
        query = sql.contradicting_tombstones(to, last, _SHOWN)
    found = ask(query, job.runner)
    if found:
        named = "; ".join(
            ", ".join(f"{c} = {v!r}" for c, v in zip((*to.keys, to.sequence), row, strict=True))
            for row in found
        )
        raise RunError(
            f"{job.load.target}: events differ from what was loaded of the same key and the same "
            f"{to.sequence}: {named}. Nothing tells which is the later: name a sequence that tells "
            f"them apart, or set same_sequence to {SameSequence.FIRST} or {SameSequence.LAST}. "
            "Nothing was written."
        )


def _tell_of_tombstones(job: Job, to: Changes, seen: str) -> None:
    """Say that deleted keys may be those of another table than the one that is there."""
    if seen == to.tombstones and not ask(staging.any_row(to.target), job.runner):
        log.warning(
            "%s has no rows, and %s keeps keys that were deleted later than events of this load, "
            "which change nothing. If the table was made anew, drop that one, too",
            *(job.load.target, to.tombstones),
        )


def _choice(job: Job) -> SameSequence:
    verb = job.load.verb
    assert isinstance(verb, ApplyChanges)  # noqa: S101 - for the type checker
    return verb.same_sequence


def _check_kept(job: Job, table: Table, sequence: str) -> None:
    """Refuse to keep sequences as texts, as earlier versions did."""
    type_ = table.type_of(sequence)
    if orders.is_text(type_, job.dialect):
        raise RunError(
            f"{job.load.target}: the column {sequence} of {table.relation} keeps sequences and is "
            f"{type_}, in which '9' comes after '10'; give it a number's or a time's type. "
            "Nothing was written."
        )


def _check_ties(job: Job, to: Changes, events: Events, last: Table) -> None:
    """Refuse different last events of one key; where no key comes twice, there are none."""
    [(keys,)] = ask(staging.facts(last.sql, ()), job.runner)
    if keys < events.rows:
        compared = (*events.columns, to.sequence, sql.DELETED)
        refuse_ties(job, events.table, compared, to.keys, to.sequence)


def _wanted(
    to: Changes, events: Events, rows: Table, written: tuple[str, ...], deleted: str | None
) -> Wanted:
    return Wanted(
        source=rows,
        keys=to.keys,
        inserted=written,
        updated=tuple(column for column in written if column not in to.keys),
        deleted=deleted,
        null_keys=to.null_keys,
        whole=events.whole,
    )
