"""Conditions on the days of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.types import read_type
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
    since, until = (_midnight(day, column, dialect) for day in (begin, end))
    return f"{name} >= {since}\n  and {name} < {until}"


def _midnight(day: date, column: Column, dialect: str) -> str:
    family = read_type(column.type, dialect).family
    written = get_engine(dialect).models.midnight.get(family)
    if written is None:
        raise RunError(
            f"event_time {column.name!r} is of type {column.type}; begin and end need a date or a "
            "timestamp. Cast it in the model, or run without begin and end."
        )
    return written.format(day=f"{day:%Y-%m-%d}")
