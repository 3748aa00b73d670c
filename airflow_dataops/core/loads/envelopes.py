"""What is checked of Debezium's envelopes, and how they become plain events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import resolve
from airflow_dataops.core.engines.statements import Statement, ask, send
from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.core.loads.alignment import require
from airflow_dataops.core.loads.checks import Test, count, refuse
from airflow_dataops.core.loads.specs import Drift, OnEmpty
from airflow_dataops.core.sql import changes, debezium, staging
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airflow_dataops.core.loads.alignment import Fitted
    from airflow_dataops.core.loads.job import Job
    from airflow_dataops.core.loads.specs import ApplyChanges
    from airflow_dataops.core.sql.tables import Table, TableColumn


def opened(job: Job, verb: ApplyChanges, staged: Table) -> Table:
    """Return staged envelopes whose parts have the names that Debezium gives them.

    https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events

    Raises:
        RunError: some are not there, or the envelope is itself in an envelope, as Kafka's JSON
            converter writes it.
    """
    wrapped = resolve("payload", staged.names)
    if wrapped and not resolve(verb.op, staged.names):
        raise RunError(
            f"the source of {job.load.target} has a column {wrapped!r} and no {verb.op!r}: the "
            "events are wrapped with their schema. Take before, after and op out of it in the "
            "query, or set the converter's schemas.enable=false. Nothing was written."
        )
    parts, where = (debezium.BEFORE, debezium.AFTER), f"the source of {job.load.target}"
    found = require(parts, staged, setting="the envelope", where=where)
    if found == parts:
        return staged
    for name, part in zip(found, parts, strict=True):
        if name != part:
            send(staging.rename_column(staged.relation, name, part, job.dialect), job.runner)
    return job.read(staged.relation)


def no_events(job: Job, staged: Table, op: str) -> list[str]:
    """Return the conditions for records that are no events of rows.

    They are changes of the schema, and the empty records that follow deletions in compacted
    topics. None of the conditions is ever NULL.
    """
    tombstone = debezium.is_tombstone(op, job.dialect)
    signs = _signs(staged)
    return [debezium.is_schema_change(op, signs, job.dialect), tombstone] if signs else [tombstone]


def tests(job: Job, verb: ApplyChanges, staged: Table, op: str, is_event: str) -> list[Test]:
    """Return what no envelope may be.

    Args:
        is_event: the condition for events of rows.
    """
    deletes = changes.is_one_of(op, verb.deletes, job.engine)
    incomplete = Test(
        condition=Statement(sql=f"{is_event} and {debezium.incomplete(deletes, job.dialect)}"),
        problem=(
            "lack the row they are about: a deletion needs `before` (in Postgres, REPLICA "
            "IDENTITY), all others need `after`"
        ),
    )
    signs = _signs(staged)
    if not signs:
        return [incomplete]
    schema_change = Test(
        condition=Statement(sql=debezium.is_schema_change(op, signs, job.dialect)),
        problem=(
            "are changes of the source's schema (ddl), not of its rows: change the table as they "
            "say, then leave them out of the query"
        ),
    )
    return [incomplete, schema_change]


def _signs(staged: Table) -> tuple[str, ...]:
    named = [resolve(name, staged.names) for name in debezium.SCHEMA_CHANGE]
    return tuple(filter(None, named))


def unavailable(job: Job, fitted: Fitted) -> Test:
    """Return the test for rows that lack a large value."""
    texts = [
        column.name
        for column in fitted.staged.columns
        if read_type(column.type, job.dialect).family is Family.TEXT
    ]
    return Test(
        condition=Statement(sql=debezium.unavailable(texts, job.dialect)),
        problem=(
            "lack a large value that did not change (__debezium_unavailable_value): set REPLICA "
            "IDENTITY FULL, or use the connector's reselect processor"
        ),
    )


def flattened(
    job: Job,
    verb: ApplyChanges,
    staged: Table,
    sequence: str,
    deletes: str,
    given: tuple[str, ...],
) -> Table:
    """Stage plain events: the target's columns, as the rows' objects have them.

    Raises:
        RunError: the objects have fields that the target has not, and that is to be told.
    """
    keys = require(verb.keys, job.target, setting="keys", where=str(job.load.target))
    columns = [
        column
        for column in job.target.columns
        if column.name not in given and column.filled is None
    ]
    fields = _fields(job, staged, columns)
    _refuse_losses(job, staged, columns, fields, keys)
    return job.stage_query(
        debezium.flattened(staged.sql, columns, fields, keys, sequence, deletes, job.engine)
    )


def _refuse_losses(
    job: Job,
    staged: Table,
    columns: Sequence[TableColumn],
    fields: Mapping[str, str],
    keys: Collection[str],
) -> None:
    """Refuse fields whose values the engine would cut, round or shift on their way to a column."""
    tests = [
        Test(
            condition=condition,
            problem=(
                f"have in {side}.{fields[column.name]} a value that {column.type} does not hold as "
                "it is: it would lose digits, an offset, a time of day or an end (give the column "
                "a type that holds it; decimals as texts: decimal.handling.mode=string)"
            ),
        )
        for side, of in (
            (debezium.AFTER, columns),
            (debezium.BEFORE, [column for column in columns if column.name in keys]),
        )
        for column in of
        if (condition := debezium.losing(side, column, fields[column.name], job.engine))
    ]
    if tests:
        found = count(job, staged, [test.condition for test in tests], OnEmpty.WRITE)
        refuse(job, found, tests)


def _fields(job: Job, staged: Table, columns: Sequence[TableColumn]) -> dict[str, str]:
    """Return the fields that columns come from, which may be written in another case."""
    names = [column.name for column in columns]
    if job.engine.loads.json_keys is None:
        return {name: name for name in names}
    found: set[str] = set()
    for side in (debezium.BEFORE, debezium.AFTER):
        query = job.engine.loads.json_keys(staged.sql, debezium.side(side, job.engine))
        found |= {name for (name,) in ask(Statement(sql=query), job.runner)}
    others = tuple(sorted(found.difference(names)))
    fields = {name: name if name in found else resolve(name, others) or name for name in names}
    _check_fields(job, found - set(fields.values()))
    return fields


def _check_fields(job: Job, unknown: Collection[str]) -> None:
    if not unknown or job.load.drift is Drift.IGNORE:
        return
    listed = ", ".join(sorted(unknown))
    if job.load.drift is Drift.ADD:
        what = (
            "add them to the table yourself, for their types are not told, or set drift to ignore"
        )
    else:
        what = "set drift to ignore to leave them out, or add them to the table"
    raise RunError(
        f"{job.load.target}: the events have the fields {listed}, which the table has not or "
        f"fills itself; {what}. Nothing was written."
    )
