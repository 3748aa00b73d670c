"""Conditions on the days of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.identifiers import quote
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from datetime import date

    from airflow_dataops.core.sql.catalog import Column


def within(column: Column, begin: date, end: date, dialect: str) -> str:
    """Return a condition: from the midnight of `begin` on, before that of `end`, in UTC.

    The limits are written in the column's own type, so that an index or a partition serves.

    Raises:
        RunError: the column is no date and no time.
    """
    name = quote(column.name, dialect)
    return f"{name} >= {_midnight(begin, column)}\n  and {name} < {_midnight(end, column)}"


def _midnight(day: date, column: Column) -> str:
    kind = column.type.upper()
    if ("TIME ZONE" in kind and "WITHOUT" not in kind) or kind.endswith(("TZ", "LTZ")):
        return f"cast('{day:%Y-%m-%d} 00:00:00+00:00' as timestamp with time zone)"
    if kind == "DATE":
        return f"date '{day:%Y-%m-%d}'"
    if kind.startswith(("TIMESTAMP", "DATETIME")):
        return f"timestamp '{day:%Y-%m-%d} 00:00:00'"
    raise RunError(
        f"event_time {column.name!r} is of type {column.type}; begin and end need a date or a "
        "timestamp. Cast it in the model, or run without begin and end."
    )
