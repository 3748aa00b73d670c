"""Structs of the core <-> rows of tables."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import case, func
from sqlalchemy.dialects import postgresql, sqlite

from airflow_dataops.core.masking import mask_all
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Table

_WRITTEN = frozenset({"message", "expected", "definition"})
"""Columns with what people and warehouses wrote: there may be a secret in it."""

T = TypeVar("T", bound=Struct)


def row_of(event: Struct) -> dict[str, Any]:
    """Return the columns of an event: its fields, enums as text, tuples as lists."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    row: dict[str, Any] = msgspec.to_builtins(fields, builtin_types=(datetime,))
    for name in _WRITTEN.intersection(row):
        row[name] = mask_all(row[name])
    return row


def event_of(kind: type[T], row: Row[Any]) -> T:
    """Read an event back."""
    found = {name: row._mapping[name] for name in kind.__struct_fields__}
    return msgspec.convert(found, kind)


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is there; tell whether it was inserted."""
    statement = _insert_new(connection.dialect.name, table)
    return connection.execute(statement, dict(row)).first() is not None


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or let them add to those with their key, unless those were seen later.

    What a row leaves open (None) stays as it is.
    """
    connection.execute(_upsert(connection.dialect.name, table), list(rows))


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    key = next(iter(table.primary_key.columns))
    return _insert(dialect, table).on_conflict_do_nothing().returning(key)


@cache
def _upsert(dialect: str, table: Table) -> Any:
    insert = _insert(dialect, table)
    changed: dict[str, Any] = {
        column.name: func.coalesce(insert.excluded[column.name], column)
        for column in table.columns
        if not column.primary_key
    }
    if {"via", "state"} <= changed.keys():
        # Who told of a state first.
        told = table.c.state == insert.excluded.state
        changed["via"] = case((told, table.c.via), else_=insert.excluded.via)
    newer = insert.excluded.observed_at >= table.c.observed_at if "observed_at" in changed else None
    keys = list(table.primary_key.columns)
    return insert.on_conflict_do_update(index_elements=keys, set_=changed, where=newer)


def _insert(dialect: str, table: Table) -> Any:
    kind = sqlite if dialect == "sqlite" else postgresql
    return kind.insert(table)
