"""Columns that come, go and change their type, as dbt's `on_schema_change` sees them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import derived, quote
from airflow_dataops.core.engines.models import TypeChange
from airflow_dataops.core.engines.relations import (
    PLAIN,
    render,
    replace_table_as,
    with_dependents,
)
from airflow_dataops.core.engines.statements import Effect, Lock, Statement
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.catalog import Column

_TEXT = re.compile(r"(?:text|varchar|character varying|character)(?:\((\d+)\))?", re.IGNORECASE)
_UNLIMITED = 256  # what dbt's Column.string_size says of a text without a limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.base import Engine
    from airflow_dataops.core.engines.relations import Making
    from airflow_dataops.core.model import Relation


class SchemaDiff(Struct, frozen=True):
    """What a query returns against what its table has.

    Attributes:
        added: columns that only the query has.
        removed: columns that only the table has.
        retyped: columns of both whose types differ, with the query's type.
    """

    added: tuple[Column, ...] = ()
    removed: tuple[Column, ...] = ()
    retyped: tuple[Column, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)


def compare(query: Sequence[Column], table: Sequence[Column], dialect: str) -> SchemaDiff:
    """Compare columns as dbt does: by exact name (case included) and the engine's type text.

    Where dbt widens texts, a shorter one fits into a longer one and has no other type.
    """
    wanted = {column.name: column for column in query}
    present = {column.name: column for column in table}
    return SchemaDiff(
        added=tuple(c for c in query if c.name not in present),
        removed=tuple(c for c in table if c.name not in wanted),
        retyped=tuple(
            c
            for c in query
            if c.name in present
            and c.type != present[c.name].type
            and not _is_wider(present[c.name].type, c.type, dialect)
        ),
    )


def wider_texts(
    query: Sequence[Column], table: Sequence[Column], dialect: str
) -> tuple[Column, ...]:
    """Return the table's columns of limited texts that the query's exceed, with their new type.

    As dbt's `expand_column_types`: a text without a limit counts as one of 256 characters.
    Unlike dbt, a column without a limit stays without one.
    """
    type_ = get_engine(dialect).models.sized_texts
    present = {column.name: column for column in table}
    return tuple(
        Column(name=c.name, type=f"{type_}({_text_size(c.type)})")
        for c in query
        if c.name in present
        and "(" in present[c.name].type
        and _is_wider(c.type, present[c.name].type, dialect)
    )


def _is_wider(one: str, other: str, dialect: str) -> bool:
    if get_engine(dialect).models.sized_texts is None:
        return False
    size, limit = _text_size(one), _text_size(other)
    return size is not None and limit is not None and size > limit


def _text_size(type_: str) -> int | None:
    found = _TEXT.fullmatch(type_)
    if found is None:
        return None
    return int(found[1]) if found[1] else _UNLIMITED


class Addition(Statement, frozen=True):
    """A statement that adds a column to a table.

    Attributes:
        values: the query for the number of rows that have a value in it.
        undo: the statement that removes the column.
    """

    values: str = ""
    undo: str = ""


def addition(relation: Relation, column: Column, engine: Engine) -> Addition:
    """Return the statement that gives a load's target a new column, NULL in every row.

    Where it cannot be part of the publishing transaction, another attempt at the load may
    have come before, and its column does as well.
    """
    sql = add_column(relation, column, engine.name)
    if not engine.loads.transactional_ddl:
        sql = sql.replace(" add column ", " add column if not exists ", 1)
    name = quote(column.name, engine.name)
    return Addition(
        sql=sql,
        effect=Effect.DEFINED,
        locks=Lock.READERS,
        values=f"select count({name}) from {render(relation, engine.name)}",
        undo=drop_column(relation, column.name, engine.name),
    )


def add_column(relation: Relation, column: Column, dialect: str) -> str:
    """Return a statement that adds a column at the end, NULL in every row."""
    return (
        f"alter table {render(relation, dialect)}"
        f" add column {quote(column.name, dialect)} {column.type}"
    )


def drop_column(relation: Relation, name: str, dialect: str) -> str:
    """Return a statement that removes a column."""
    return f"alter table {render(relation, dialect)} drop column {quote(name, dialect)}"


def change_type(
    relation: Relation, column: Column, dialect: str, making: Making = PLAIN
) -> tuple[str, ...]:
    """Return the statements that give a column its new type.

    They are those of dbt's adapter. By default a new column takes the values over and then the
    old one's name, so that the column ends up last in the table.

    Args:
        making: how the table is made, where it is made anew.
    """
    table, name = render(relation, dialect), quote(column.name, dialect)
    change = get_engine(dialect).models.type_change
    if change is TypeChange.ALTER:
        return (f"alter table {table} alter column {name} set data type {column.type}",)
    if change is TypeChange.REWRITE:
        query = f"select * replace (cast({name} as {column.type}) as {name})\nfrom {table}"
        return (replace_table_as(relation, query, dialect, making),)
    successor = quote(derived(column.name, "__dbt_alter", dialect), dialect)
    return (
        f"alter table {table} add column {successor} {column.type}",
        f"update {table} set {successor} = {name}",
        f"alter table {table} drop column {name}{with_dependents(dialect)}",
        f"alter table {table} rename column {successor} to {name}",
    )
