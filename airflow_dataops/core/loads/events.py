"""Stages change events, checks them, and gives them the target's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.relations import subquery
from airflow_dataops.core.engines.statements import Statement, send
from airflow_dataops.core.engines.types import misfit
from airflow_dataops.core.loads import envelopes
from airflow_dataops.core.loads.alignment import Fitted, fit, require
from airflow_dataops.core.loads.checks import (
    Counts,
    Test,
    count,
    refuse,
    refuse_null_keys,
    refuse_unequal,
)
from airflow_dataops.core.loads.ordering import ordered
from airflow_dataops.core.loads.specs import Envelope, NullKeys, OnEmpty
from airflow_dataops.core.loads.stage import stage
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql import changes, debezium
from airflow_dataops.core.sql.staging import any_null
from airflow_dataops.core.sql.tables import Table
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import ApplyChanges


class Events(Struct, frozen=True):
    """Staged events with the target's names.

    Attributes:
        table: a subquery: columns, sequence (named as in the target) and `changes.DELETED`.
        rows: events of the source.
        columns: the target's columns that events carry.
        whole: whether those, with what the verb fills, are all that the target has.
        added: statements that give the target columns it has not yet.
    """

    table: Table
    rows: int
    columns: tuple[str, ...]
    null_keys: bool
    whole: bool
    added: tuple[Statement, ...] = ()


def read_events(job: Job, verb: ApplyChanges, source: Source, given: tuple[str, ...]) -> Events:
    """Stage a source's events, check them, and give them the target's names.

    Args:
        given: columns of the target that the verb fills: the sequence, and what marks deletion.
    """
    staged = stage(job, source)
    where = f"the source of {job.load.target}"
    if verb.envelope is Envelope.DEBEZIUM:
        staged = envelopes.opened(job, verb, staged)
    [op] = require((verb.op,), staged, setting="op", where=where)
    [sequence] = require((verb.sequence,), staged, setting="sequence", where=where)
    told = sequence
    staged, (sequence,) = ordered(job, staged, (sequence,), verb.text_order, setting="sequence")
    rows = _check_kinds(job, verb, staged, op, sequence)
    if verb.ignores:
        send(changes.drop_ignored(staged.sql, _ignored(job, verb, op)), job.runner)
    deletes = changes.is_one_of(op, verb.deletes, job.engine)
    if verb.envelope is Envelope.DEBEZIUM:
        staged = envelopes.flattened(job, verb, staged, sequence, deletes, given)
        op, told, sequence = debezium.DELETES, debezium.SEQUENCE, debezium.SEQUENCE
        deletes = quote(debezium.DELETES, job.dialect)
    free = {name.casefold() for name in job.target.names} - {name.casefold() for name in given}
    helpers = [name for name in (op, told, sequence) if name.casefold() not in free]
    fitted = fit(job, staged, consumed=helpers, given=given, becoming={sequence: given[0]})
    keys = require(verb.keys, fitted.staged, setting="keys", where=where)
    nulls = _check_rows(job, verb, fitted, keys)
    [sequence] = require((sequence,), fitted.staged, setting="sequence", where=where)
    type_ = _sequence_type(job, fitted.staged, sequence, given[0])
    named = (fitted.copies.get(sequence, sequence), given[0], type_)
    query = changes.prepared(fitted.staged.sql, fitted.written, named, deletes, job.dialect)
    table = structs.replace(fitted.staged, sql=f"{subquery(query)} as prepared")
    return Events(
        table=table,
        rows=rows,
        columns=fitted.written,
        null_keys=nulls,
        whole=fitted.whole,
        added=fitted.added,
    )


def _check_kinds(job: Job, verb: ApplyChanges, staged: Table, op: str, sequence: str) -> int:
    """Refuse events of unknown kinds, without a sequence or without a row; count the rest."""
    skipped, tests = [_ignored(job, verb, op)] if verb.ignores else [], []
    if verb.envelope is Envelope.DEBEZIUM:
        skipped += envelopes.no_events(job, staged, op)
    is_event = " and ".join(f"not {condition}" for condition in skipped) or "true"
    if verb.envelope is Envelope.DEBEZIUM:
        tests = envelopes.tests(job, verb, staged, op, is_event)
    known = changes.is_one_of(op, (*verb.deletes, *verb.upserts), job.engine)
    no_order = any_null((sequence,), job.dialect)
    tests = [
        Test(
            condition=Statement(sql=f"{is_event} and case when {known} then false else true end"),
            problem=(
                f"have in {op} none of {', '.join((*verb.deletes, *verb.upserts))}: name their "
                "kinds in deletes, upserts or ignores, or leave them out of the query"
            ),
        ),
        Test(
            condition=Statement(sql=f"{is_event} and ({no_order})"),
            problem=f"have NULL in the sequence ({sequence}): no order tells when they happened",
        ),
        *tests,
    ]
    found = count(job, staged, [test.condition for test in tests], verb.on_empty)
    refuse(job, found, tests)
    return found.rows


def _ignored(job: Job, verb: ApplyChanges, op: str) -> str:
    """Return the condition for events that are skipped, which is never NULL."""
    named = changes.is_one_of(op, verb.ignores, job.engine)
    return f"case when {named} then true else false end"


def _check_rows(job: Job, verb: ApplyChanges, fitted: Fitted, keys: tuple[str, ...]) -> bool:
    """Refuse what cannot be applied; tell whether keys hold NULL."""
    refuse_unequal(job, fitted.staged, keys)
    tests = [refuse_null_keys(keys, job.dialect)]
    if verb.envelope is Envelope.DEBEZIUM:
        tests.append(envelopes.unavailable(job, fitted))
    found = count(job, fitted.staged, [test.condition for test in tests], OnEmpty.WRITE)
    nulls = found.met[0]
    if verb.null_keys is NullKeys.MATCH:
        found = Counts(rows=found.rows, met=(0, *found.met[1:]))
    refuse(job, found, tests)
    return bool(nulls)


def _sequence_type(job: Job, staged: Table, sequence: str, column: str) -> str:
    have, want = staged.type_of(sequence), job.target.type_of(column)
    reason = misfit(have, want, job.dialect)
    if reason is not None:
        raise RunError(
            f"{job.load.target}: {sequence} is {have} and {column} is {want}, and {reason}; cast "
            "it in the query. Nothing was written."
        )
    return job.target.column(column).cast
