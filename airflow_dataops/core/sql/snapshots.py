"""The SQL of snapshots, to the effect of dbt 1.11's (its `snapshot_staging_table`).

A snapshot's query is staged first, so that it runs once. The open rows of the history (those
without an end) are compared with it. What follows is kept in two temporary tables, *ended*
(ids and ends of rows to close) and *begun* (rows to add), and goes from there to the history.

NULL keys equal nothing, as in dbt: such rows begin anew in each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.model import HardDeletes, Relation, SnapshotColumns, Struct
from airflow_dataops.core.sql.comparisons import differ

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Helper columns, named so that no author's query has them.
_KEY = "dbt_internal_key_{}"
_SEEN_AT = "dbt_internal_seen_at"
_ID = "dbt_internal_id"


class History(Struct, frozen=True):
    """A snapshot's table and how it is kept.

    Attributes:
        names: of the columns that the snapshot adds.
        valid_to_current: SQL for the end of an open row; None for NULL.
    """

    relation: Relation
    names: SnapshotColumns
    hard_deletes: HardDeletes
    valid_to_current: str | None
    dialect: str

    @property
    def keeps_deletions(self) -> bool:
        """Whether a deletion is a row of its own."""
        return self.hard_deletes is HardDeletes.NEW_RECORD

    @property
    def now(self) -> str:
        """The present time, as SQL."""
        return get_engine(self.dialect).models.now

    @property
    def quoted(self) -> SnapshotColumns:
        """The names, as SQL."""
        names = msgspec.structs.asdict(self.names)
        return SnapshotColumns(**{k: quote(name, self.dialect) for k, name in names.items()})


class Incoming(Struct, frozen=True):
    """The staged query.

    Attributes:
        table: its name, as SQL.
        columns: its columns.
        keys: the unique key, as SQL over its columns.
        updated_at: a row's time of change, as SQL over its columns.
    """

    table: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    updated_at: str


class Match(Struct, frozen=True):
    """How the history's open rows relate to the incoming ones.

    Attributes:
        keys: the unique key, as SQL over the history's columns.
        columns: the history's column for each incoming one, None where it has none.
        changed: a condition on `open_rows` and `incoming` of one key.
    """

    keys: tuple[str, ...]
    columns: tuple[str | None, ...]
    changed: str


def later(history: History) -> str:
    """Return the condition of the timestamp strategy: the incoming row is newer."""
    return f"open_rows.{history.quoted.valid_from} < incoming.{_SEEN_AT}"


def differs(columns: Iterable[tuple[str, str]], dialect: str) -> str:
    """Return the condition of the check strategy.

    Args:
        columns: pairs of an incoming column and the history's column of that name.
    """
    return " or ".join(
        differ(f"open_rows.{quote(old, dialect)}", f"incoming.{quote(new, dialect)}", dialect)
        for new, old in columns
    )


def first_rows(history: History, incoming: Incoming) -> str:
    """Return the query for a history that begins with all incoming rows."""
    q = history.quoted
    deleted = f",\n  'False' as {q.is_deleted}" if history.keeps_deletions else ""
    return (
        f"select\n  {quote_all(incoming.columns, history.dialect)},\n"
        f"  {scd_id((*incoming.keys, incoming.updated_at), history.dialect)} as {q.scd_id},\n"
        f"  {incoming.updated_at} as {q.updated_at},\n"
        f"  {incoming.updated_at} as {q.valid_from},\n"
        f"  {_no_end(history, incoming.updated_at)} as {q.valid_to}{deleted}\n"
        f"from {incoming.table}"
    )


def ended_rows(history: History, incoming: Incoming, match: Match) -> str:
    """Return the query for the ids and ends of the rows to close."""
    q = history.quoted
    query = (
        f"{_sides(history, incoming, match)}\n"
        f"select open_rows.{q.scd_id}, incoming.{_SEEN_AT} as {q.valid_to}\n"
        f"from incoming join open_rows on {_same_key(match)}\n"
        f"where {_begins_anew(history, match)}"
    )
    if history.hard_deletes is HardDeletes.IGNORE:
        return query
    return (
        f"{query}\nunion all\n"
        f"select open_rows.{q.scd_id}, {history.now}\n"
        f"from open_rows left join incoming on {_same_key(match)}\n"
        f"where {_deleted(history)}"
    )


def begun_rows(history: History, incoming: Incoming, match: Match) -> str:
    """Return the query for the rows to add: new ones, changed ones, deletion records."""
    q = history.quoted
    columns = "".join(f"incoming.{quote(c, history.dialect)}, " for c in incoming.columns)
    deleted = f", 'False' as {q.is_deleted}" if history.keeps_deletions else ""
    query = (
        f"{_sides(history, incoming, match)}\n"
        f"select {columns}incoming.{_ID} as {q.scd_id}, incoming.{_SEEN_AT} as {q.updated_at},"
        f" incoming.{_SEEN_AT} as {q.valid_from},"
        f" {_no_end(history, f'incoming.{_SEEN_AT}')} as {q.valid_to}{deleted}\n"
        f"from incoming left join open_rows on {_same_key(match)}\n"
        f"where open_rows.{_KEY.format(1)} is null or {_begins_anew(history, match)}"
    )
    if not history.keeps_deletions:
        return query
    return f"{query}\nunion all\n{_deletion_records(history, incoming, match)}"


def close_rows(history: History, ended: str) -> str:
    """Return the statement that gives the rows in `ended` (as SQL) their end."""
    q = history.quoted
    return (
        f"update {render(history.relation, history.dialect)} as history\n"
        f"set {q.valid_to} = ended.{q.valid_to}\n"
        f"from {ended} as ended\n"
        f"where history.{q.scd_id} = ended.{q.scd_id} and {_is_open(history, 'history.')}"
    )


def add_rows(history: History, begun: str, columns: Sequence[tuple[str, str]]) -> str:
    """Return the statement that adds the rows in `begun` (as SQL).

    Args:
        columns: pairs of a column of `begun` and the history's column that takes it.
    """
    dialect = history.dialect
    return (
        f"insert into {render(history.relation, dialect)}"
        f" ({quote_all((into for _, into in columns), dialect)})\n"
        f"select {quote_all((name for name, _ in columns), dialect)}\nfrom {begun}"
    )


def scd_id(values: Sequence[str], dialect: str) -> str:
    """Return an expression for a row's id: dbt's `snapshot_hash_arguments`."""
    engine = get_engine(dialect)
    texts = (f"coalesce(cast({value} as {engine.values.text}), '')" for value in values)
    return engine.models.row_id.format(" || '|' || ".join(texts))


def _sides(history: History, incoming: Incoming, match: Match) -> str:
    own_keys = "".join(
        f", {key} as {_KEY.format(i)}" for i, key in enumerate(incoming.keys, start=1)
    )
    open_keys = "".join(f", {key} as {_KEY.format(i)}" for i, key in enumerate(match.keys, start=1))
    return (
        "with incoming as (\n"
        f"  select *{own_keys},\n"
        f"    {incoming.updated_at} as {_SEEN_AT},\n"
        f"    {scd_id((*incoming.keys, incoming.updated_at), history.dialect)} as {_ID}\n"
        f"  from {incoming.table}\n"
        "), open_rows as (\n"
        f"  select *{open_keys}\n"
        f"  from {render(history.relation, history.dialect)}\n"
        f"  where {_is_open(history)}\n"
        ")"
    )


def _same_key(match: Match) -> str:
    keys = (_KEY.format(i) for i in range(1, len(match.keys) + 1))
    return " and ".join(f"open_rows.{key} = incoming.{key}" for key in keys)


def _begins_anew(history: History, match: Match) -> str:
    returned = f" or open_rows.{history.quoted.is_deleted} = 'True'"
    return f"(({match.changed}){returned if history.keeps_deletions else ''})"


def _deleted(history: History) -> str:
    """Open rows without an incoming one, but for deletions that are recorded already."""
    gone = f"incoming.{_KEY.format(1)} is null"
    if not history.keeps_deletions:
        return gone
    valid_to = f"open_rows.{history.quoted.valid_to}"
    current = history.valid_to_current
    still = f"{valid_to} = {current}" if current else f"{valid_to} is null"
    return f"{gone} and not (open_rows.{history.quoted.is_deleted} = 'True' and {still})"


def _deletion_records(history: History, incoming: Incoming, match: Match) -> str:
    q = history.quoted
    columns = "".join(
        f"incoming.{quote(new, history.dialect)}, "
        if old is None
        else f"open_rows.{quote(old, history.dialect)}, "
        for new, old in zip(incoming.columns, match.columns, strict=True)
    )
    return (
        f"select {columns}{scd_id((f'open_rows.{q.scd_id}', history.now), history.dialect)},"
        f" {history.now}, {history.now},"
        f" open_rows.{q.valid_to}, 'True'\n"
        f"from open_rows left join incoming on {_same_key(match)}\n"
        f"where {_deleted(history)}"
    )


def _is_open(history: History, prefix: str = "") -> str:
    valid_to = f"{prefix}{history.quoted.valid_to}"
    if history.valid_to_current is None:
        return f"{valid_to} is null"
    return f"({valid_to} = {history.valid_to_current} or {valid_to} is null)"


def _no_end(history: History, updated_at: str) -> str:
    # NULLIF of a value and itself is a NULL of its type, which the column thus gets.
    return f"coalesce(nullif({updated_at}, {updated_at}), {history.valid_to_current or 'null'})"
