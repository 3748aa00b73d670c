"""Statements that put new rows in the place of all of a table's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import Effect, Lock, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.loads import Belonging
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.tables import Table


def replace_rows(
    target: Table, source: str, columns: Sequence[str], dialect: str
) -> tuple[Statement, ...]:
    """Return the statements that delete and insert; all that hangs on the table stays."""
    return (
        Statement(sql=f"delete from {target.sql} where true", effect=Effect.DELETED),
        _insert(target.sql, source, columns, dialect),
    )


def create_or_replace(
    target: Table, source: str, columns: Sequence[str], dialect: str
) -> tuple[Statement, ...]:
    """Return the statement that makes the table anew, with the columns and types it has.

    Columns that the source lacks are NULL; those that only the source has come last.
    """
    own = [
        f"cast({quote(c.name, dialect)} as {c.type}) as {quote(c.name, dialect)}"
        if c.name in columns
        else f"cast(null as {c.type}) as {quote(c.name, dialect)}"
        for c in target.columns
    ]
    new = [quote(column, dialect) for column in columns if column not in target.names]
    listed = ",\n  ".join([*own, *new])
    return (
        Statement(
            sql=f"create or replace table {target.sql} as\nselect {listed}\nfrom {source}",
            effect=Effect.INSERTED,
        ),
    )


def swap_by_rename(
    target: Table,
    source: str,
    columns: Sequence[str],
    belongings: Sequence[Belonging],
    new: Relation,
    dialect: str,
) -> tuple[Statement, ...]:
    """Return the statements that fill a new table like the old one and give it its name.

    Args:
        belongings: what a table made `like` the old one lacks.
        new: a name beside the target that nothing has.
    """
    return (
        Statement(sql=create_like(new, target.sql, dialect)),
        _insert(render(new, dialect), source, columns, dialect),
        *swap_in(target, new, belongings, dialect),
    )


def create_like(new: Relation, old: str, dialect: str) -> str:
    """Return the statement that makes an empty table like an old one, but for its indexes."""
    return f"create table {render(new, dialect)} (like {old} including all excluding indexes)"


def swap_in(
    target: Table, new: Relation, belongings: Sequence[Belonging], dialect: str
) -> tuple[Statement, ...]:
    """Return the statements that give a full table, like the target, the target's name.

    Indexes are built before the old table goes, which locks readers out: from there on only
    names change.
    """
    fresh, old = render(new, dialect), quote(target.relation.identifier, dialect)
    return (
        *(Statement(sql=b.create) for b in belongings),
        Statement(sql=f"drop table {target.sql}", locks=Lock.READERS),
        Statement(sql=f"alter table {fresh} rename to {old}"),
        *(Statement(sql=b.rename) for b in belongings if b.rename),
    )


def _insert(target: str, source: str, columns: Sequence[str], dialect: str) -> Statement:
    names = quote_all(columns, dialect)
    return Statement(
        sql=f"insert into {target} ({names})\nselect {names} from {source}",
        effect=Effect.INSERTED,
    )
