"""Statements that update the rows that are there and add the others.

The target goes by `t`, the new rows by `s`. The new rows have each key once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.statements import Effect, Statement
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.comparisons import changing_as, distinct, same_key

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rows(Struct, frozen=True):
    """Which rows go where.

    Attributes:
        target: the target's name, as SQL.
        source: the new rows: a table's name or a subquery, as SQL.
        keys: columns that name a row.
        inserted: columns that a new row gets, keys included.
        updated: columns that a row gets that is there.
        changed_only: rows that are equal in all updated columns are left alone.
        deleted: boolean column of the new rows; where it is true the target's row goes.
        null_keys: keys are compared so that NULL equals NULL.
    """

    target: str
    source: str
    keys: tuple[str, ...]
    inserted: tuple[str, ...]
    updated: tuple[str, ...]
    dialect: str
    changed_only: bool = False
    deleted: str | None = None
    null_keys: bool = False


def changing(
    target: str,
    source: str,
    keys: Sequence[str],
    columns: Sequence[str],
    dialect: str,
    *,
    null_keys: bool,
) -> Statement:
    """Return the query for a row of the target that would get other values in some columns."""
    match = same_key(keys, dialect, null_keys=null_keys)
    return Statement(
        sql=(
            f"select 1 from {target} as t join {source} as s on {match}\n"
            f"where {distinct(columns, dialect)} limit 1"
        )
    )


def on_conflict(rows: Rows) -> tuple[Statement, ...]:
    """Return the statements for a target with a unique index on the keys, which has no NULL.

    The rows come sorted by key: neighbours in the index are touched together.
    """
    names = quote_all(rows.inserted, rows.dialect)
    keys = quote_all(rows.keys, rows.dialect)
    updates = ", ".join(
        f"{quote(c, rows.dialect)} = excluded.{quote(c, rows.dialect)}" for c in rows.updated
    )
    changed = (
        f"\nwhere {distinct(rows.updated, rows.dialect, ('t', 'excluded'))}"
        if rows.changed_only
        else ""
    )
    action = f"do update set {updates}{changed}" if updates else "do nothing"
    upsert = Statement(
        sql=(
            f"insert into {rows.target} as t ({names})\n"
            f"select {names} from {rows.source} as s{_kept(rows)}\n"
            f"order by {keys}\non conflict ({keys}) {action}"
        ),
        effect=Effect.WRITTEN if updates else Effect.INSERTED,
    )
    return (*_deletions(rows), upsert)


def delete_insert(rows: Rows) -> tuple[Statement, ...]:
    """Return the statements for new rows that have every column of the target."""
    into, t = changing_as(rows.target, "t", rows.dialect)
    match = same_key(rows.keys, rows.dialect, null_keys=rows.null_keys, of=(t, "s"))
    tests = [match, *_kept_tests(rows, "s.")]
    if rows.changed_only:
        tests.append(f"({distinct(rows.updated, rows.dialect, (t, 's'))})")
    removed = Statement(
        sql=_delete(into, rows, " and ".join(tests)),
        effect=Effect.REMOVED,
    )
    names = quote_all(rows.inserted, rows.dialect)
    added = Statement(
        sql=(
            f"insert into {rows.target} ({names})\n"
            f"select {names} from {rows.source} as s{_kept(rows)}"
        ),
        effect=Effect.INSERTED,
    )
    last = insert_missing(rows) if rows.changed_only else added
    return (*_deletions(rows), removed, last)


def update_insert(rows: Rows) -> tuple[Statement, ...]:
    """Return the statements for new rows that have some columns of the target."""
    updates = ", ".join(
        f"{quote(c, rows.dialect)} = s.{quote(c, rows.dialect)}" for c in rows.updated
    )
    tests = [same_key(rows.keys, rows.dialect, null_keys=rows.null_keys), *_kept_tests(rows, "s.")]
    if rows.changed_only:
        tests.append(f"({distinct(rows.updated, rows.dialect)})")
    update = Statement(
        sql=(
            f"update {rows.target} as t set {updates}\n"
            f"from {rows.source} as s\nwhere {' and '.join(tests)}"
        ),
        effect=Effect.UPDATED,
    )
    return (*_deletions(rows), *((update,) if updates else ()), insert_missing(rows))


def insert_missing(rows: Rows) -> Statement:
    """Return the statement that adds the new rows whose key the target does not have."""
    names = quote_all(rows.inserted, rows.dialect)
    match = same_key(rows.keys, rows.dialect, null_keys=rows.null_keys)
    tests = [*_kept_tests(rows), f"not exists (select 1 from {rows.target} as t where {match})"]
    return Statement(
        sql=(
            f"insert into {rows.target} ({names})\n"
            f"select {names} from {rows.source} as s\nwhere {' and '.join(tests)}"
        ),
        effect=Effect.INSERTED,
    )


def merge(rows: Rows) -> tuple[Statement, ...]:
    """Return the one statement for engines whose MERGE is fastest."""
    dialect = rows.dialect
    match = same_key(rows.keys, dialect, null_keys=rows.null_keys)
    updates = ", ".join(f"{quote(c, dialect)} = s.{quote(c, dialect)}" for c in rows.updated)
    flag = "" if rows.deleted is None else f"s.{quote(rows.deleted, dialect)}"
    changed = f" and ({distinct(rows.updated, dialect)})" if rows.changed_only else ""
    clauses = [f"when matched and {flag} then delete"] if flag else []
    if updates:
        clauses.append(f"when matched{changed} then update set {updates}")
    kept = f" and not coalesce({flag}, false)" if flag else ""
    values = ", ".join(f"s.{quote(c, dialect)}" for c in rows.inserted)
    clauses.append(
        f"when not matched{kept} then insert ({quote_all(rows.inserted, dialect)})"
        f" values ({values})"
    )
    return (
        Statement(
            sql=(
                f"merge into {rows.target} as t\nusing {rows.source} as s\non {match}\n"
                + "\n".join(clauses)
            ),
            effect=Effect.WRITTEN if updates or flag else Effect.INSERTED,
        ),
    )


def _deletions(rows: Rows) -> tuple[Statement, ...]:
    if rows.deleted is None:
        return ()
    into, t = changing_as(rows.target, "t", rows.dialect)
    match = same_key(rows.keys, rows.dialect, null_keys=rows.null_keys, of=(t, "s"))
    condition = f"{match} and s.{quote(rows.deleted, rows.dialect)}"
    return (Statement(sql=_delete(into, rows, condition), effect=Effect.DELETED),)


def _delete(into: str, rows: Rows, condition: str) -> str:
    return f"delete from {into}\nwhere exists (select 1 from {rows.source} as s where {condition})"


def _kept(rows: Rows) -> str:
    return "".join(f"\nwhere {test}" for test in _kept_tests(rows))


def _kept_tests(rows: Rows, prefix: str = "s.") -> list[str]:
    if rows.deleted is None:
        return []
    return [f"not coalesce({prefix}{quote(rows.deleted, rows.dialect)}, false)"]
