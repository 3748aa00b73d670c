"""Statements that apply change events. `t` is the target (or its tombstones), `s` the events.

Tombstones are the keys that were deleted, with the sequence of the event that did it: an older
event that arrives later must not bring the row back.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import Effect, Statement
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.comparisons import changing_as, differ, same_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.sql.tables import Table

DELETED = "dataops_deleted"
_SUFFIX = "__tombstones"


class Changes(Struct, frozen=True):
    """Where events go.

    Attributes:
        target: the target's name, as SQL.
        tombstones: the name of their table, as SQL.
        sequence: the column of the target, the tombstones and the prepared events.
        flag: the column of the target that marks deleted rows, if they are kept.
        equal: events that are as late as what the target has are not stale.
    """

    target: str
    tombstones: str
    keys: tuple[str, ...]
    sequence: str
    dialect: str
    null_keys: bool = False
    flag: str | None = None
    equal: bool = False

    @property
    def same_key(self) -> str:
        """The condition that `t` and `s` are of one key."""
        return self.same_key_of("t", "s")

    def same_key_of(self, one: str, other: str) -> str:
        """Return the condition that two tables are of one key."""
        return same_key(self.keys, self.dialect, null_keys=self.null_keys, of=(one, other))


def tombstone_table(target: Relation, engine: Engine) -> Relation:
    """Return the name of a target's tombstones: its own, cut to the limit, and a suffix."""
    name = f"{target.identifier}{_SUFFIX}"
    if engine.naming.is_too_long(name):
        digest = hashlib.sha256(target.identifier.encode()).hexdigest()[:8]
        suffix = f"_{digest}{_SUFFIX}"
        name = engine.naming.cut(target.identifier, len(suffix)) + suffix
    return Relation(identifier=name, schema=target.schema, database=target.database)


def create_tombstones(
    table: Relation, target: Table, keys: Sequence[str], sequence: str, dialect: str
) -> Statement:
    """Return the statement that makes the table of tombstones unless it exists."""
    columns = ", ".join(
        f"{quote(name, dialect)} {target.column(name).declared}" for name in (*keys, sequence)
    )
    return Statement(sql=f"create table if not exists {render(table, dialect)} ({columns})")


def is_one_of(op: str, kinds: Sequence[str], engine: Engine) -> str:
    """Return the condition that an event is of one of some kinds."""
    listed = ", ".join(literal(kind, engine.name) for kind in kinds)
    column = f"cast({quote(op, engine.name)} as {engine.loads.types.text})"
    return f"{column} in ({listed})" if kinds else "false"


def prepared(
    source: str,
    columns: Sequence[str],
    sequence: tuple[str, str, str],
    deletes: str,
    dialect: str,
) -> str:
    """Return the query for events with the target's names: columns, sequence, deletion.

    Args:
        sequence: the events' column, and the target's with its type.
        deletes: the condition for deletions.
    """
    theirs, ours, type_ = sequence
    flag = quote(DELETED, dialect)
    return (
        f"select {quote_all(columns, dialect)},"
        f" cast({quote(theirs, dialect)} as {type_}) as {quote(ours, dialect)},\n"
        f"  case when {deletes} then true else false end as {flag}\nfrom {source}"
    )


def drop_ignored(events: str, ignored: str) -> Statement:
    """Return the statement that drops staged events which are to be skipped."""
    return Statement(sql=f"delete from {events} where {ignored}")


def upserts_only(source: str, dialect: str) -> str:
    """Return a subquery for prepared events that carry a row."""
    return f"(select * from {source} where not {quote(DELETED, dialect)}) as carrying"


def as_late(changes: Changes, seen: str, events: str) -> Statement:
    """Return the query for a row of the target, or a tombstone, as late as the first event.

    Where events come in order there is none, and no key has to be looked up.
    """
    sequence = quote(changes.sequence, changes.dialect)
    return Statement(
        sql=(
            f"select 1 from {seen}\n"
            f"where {sequence} >= (select min({sequence}) from {events}) limit 1"
        )
    )


def drop_stale(changes: Changes, seen: str, events: str) -> Statement:
    """Return the statement that drops events of keys of which the target has seen as late.

    It changes the staging table alone.
    """
    sequence = quote(changes.sequence, changes.dialect)
    later = ">" if changes.equal else ">="
    into, s = changing_as(events, "s", changes.dialect)
    return Statement(
        sql=(
            f"delete from {into}\n"
            f"where exists (select 1 from {seen} as t where {changes.same_key_of('t', s)}\n"
            f"  and t.{sequence} {later} {s}.{sequence})"
        )
    )


def contradicting(
    changes: Changes, events: Table, target: Table, columns: Sequence[str], limit: int
) -> Statement:
    """Return the query for keys of events that say otherwise than the target, equally late.

    Args:
        columns: what is compared; the events' values as the target would hold them.
    """
    flag = quote(DELETED, changes.dialect)
    differs = " or ".join(_differs(name, events, target, changes.dialect) for name in columns)
    live = f"not s.{flag} and ({differs or 'false'})"
    gone = f"s.{flag}"
    if changes.flag is not None:
        marked = f"coalesce(t.{quote(changes.flag, changes.dialect)}, false)"
        live, gone = (
            f"not s.{flag} and ({marked} or {differs or 'false'})",
            f"{gone} and not {marked}",
        )
    return _as_late_and(changes, changes.target, events.sql, f"({gone}) or ({live})", limit)


def contradicting_tombstones(changes: Changes, events: Table, limit: int) -> Statement:
    """Return the query for keys of events that write what was deleted, equally late."""
    writes = f"not s.{quote(DELETED, changes.dialect)}"
    return _as_late_and(changes, changes.tombstones, events.sql, writes, limit)


def _as_late_and(changes: Changes, seen: str, events: str, condition: str, limit: int) -> Statement:
    sequence = quote(changes.sequence, changes.dialect)
    columns = (*changes.keys, changes.sequence)
    names = ", ".join(f"s.{quote(name, changes.dialect)}" for name in columns)
    return Statement(
        sql=(
            f"select {names} from {events} as s join {seen} as t\n"
            f"  on {changes.same_key} and t.{sequence} = s.{sequence}\n"
            f"where {condition}\nlimit {limit}"
        )
    )


def _differs(column: str, events: Table, target: Table, dialect: str) -> str:
    name, type_ = quote(column, dialect), target.type_of(column)
    theirs = f"s.{name}" if events.type_of(column) == type_ else f"cast(s.{name} as {type_})"
    engine = get_engine(dialect)
    if type_.removesuffix("[]") in engine.loads.incomparable:
        as_text = engine.values.as_comparable
        return differ(as_text.format(f"t.{name}"), as_text.format(theirs), dialect)
    return differ(f"t.{name}", theirs, dialect)


def bury(changes: Changes, events: str, *, unknown_only: bool) -> tuple[Statement, ...]:
    """Return the statements that keep tombstones: none for keys that live, one for each other.

    Args:
        unknown_only: keys that the target has, marked as deleted, need none.
    """
    names = quote_all((*changes.keys, changes.sequence), changes.dialect)
    deleted = f"s.{quote(DELETED, changes.dialect)}"
    known = (
        f"\n  and not exists (select 1 from {changes.target} as t where {changes.same_key})"
        if unknown_only
        else ""
    )
    into, t = changing_as(changes.tombstones, "t", changes.dialect)
    return (
        Statement(
            sql=(
                f"delete from {into}\n"
                f"where exists (select 1 from {events} as s where {changes.same_key_of(t, 's')})"
            )
        ),
        Statement(
            sql=(
                f"insert into {changes.tombstones} ({names})\n"
                f"select {names} from {events} as s\nwhere {deleted}{known}"
            )
        ),
    )


def mark_deleted(changes: Changes, events: str, flag: str) -> Statement:
    """Return the statement that marks rows as deleted."""
    sequence = quote(changes.sequence, changes.dialect)
    return Statement(
        sql=(
            f"update {changes.target} as t set {quote(flag, changes.dialect)} = true,"
            f" {sequence} = s.{sequence}\nfrom {events} as s\n"
            f"where {changes.same_key} and s.{quote(DELETED, changes.dialect)}"
        ),
        effect=Effect.DELETED,
    )


def with_flag(source: str, flag: str, dialect: str) -> str:
    """Return the query for prepared events with a row, not marked as deleted."""
    return f"select *, false as {quote(flag, dialect)} from {source}"
