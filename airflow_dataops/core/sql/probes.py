"""Small questions to many tables, so many to a statement.

Each probe is a query for any number of rows of two columns: a label (text, or NULL) and a
number (or NULL). Joined by UNION ALL they cost one round trip.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.types import Family, read_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.catalog import Column


class Moment(StrEnum):
    """What a column of dates or times says of its time zone."""

    DATE = "date"
    NAIVE = "naive"
    AWARE = "aware"


_MOMENTS = {
    Family.DATE: Moment.DATE,
    Family.NAIVE: Moment.NAIVE,
    Family.AWARE: Moment.AWARE,
}


def moment_of(type_: str, dialect: str) -> Moment | None:
    """Return what a column of this type says of when, or None if it holds no time."""
    return _MOMENTS.get(read_type(type_, dialect).family)


def newest(relation: Relation, column: Column, dialect: str) -> str:
    """Ask for the greatest time of a column: seconds since 1970, without a zone as if UTC."""
    return _ask("null", _epoch(f"max({quote(column.name, dialect)})", dialect), relation, dialect)


def row_count(relation: Relation, dialect: str) -> str:
    """Ask for the number of rows."""
    return _ask("null", "count(*)", relation, dialect)


def readable(relation: Relation, dialect: str) -> str:
    """Ask whether rows can be read: the answer is 0 or 1, and an error where they cannot."""
    label, value = _text("null", dialect), _number("count(*)", dialect)
    one = f"(select 1 as one from {render(relation, dialect)} limit 1) as head"
    return f"select {label} as label, {value} as value\nfrom {one}"


def nulls(relation: Relation, column: str, dialect: str) -> str:
    """Ask for the number of rows without a value."""
    name = quote(column, dialect)
    return _ask(literal(column, dialect), f"count(*) - count({name})", relation, dialect)


def repeats(relation: Relation, column: str, dialect: str) -> str:
    """Ask for the number of rows whose value another row has too, less one row per value."""
    name = quote(column, dialect)
    return _ask(
        literal(column, dialect), f"count({name}) - count(distinct {name})", relation, dialect
    )


def rows_by_day(
    relation: Relation, column: Column, days: tuple[date, date], zone: str, dialect: str
) -> str:
    """Ask for the number of rows of each day (label `2024-01-31`) that has any.

    Args:
        column: of a type that `moment_of` knows.
        days: the first day, and the one after the last.
        zone: whose days, for a column that knows its zone.
    """
    kind = moment_of(column.type, dialect) or Moment.NAIVE
    name = quote(column.name, dialect)
    day = _day(name, kind, zone, dialect)
    begin, end = (_midnight(each, kind, zone, dialect) for each in days)
    label, value = _day_text(day, dialect), _number("count(*)", dialect)
    return (
        f"select {label} as label, {value} as value\nfrom {render(relation, dialect)}\n"
        f"where {name} >= {begin} and {name} < {end}\ngroup by {label}"
    )


def together(probes: Sequence[str], dialect: str) -> str:
    """Join probes in one statement; its rows are (number of the probe, label, value)."""
    parts = (
        f"select {n} as probe, label, value from (\n{p}\n) as p{n}" for n, p in enumerate(probes)
    )
    return "\nunion all\n".join(parts)


def of_author(query: str, relation: Relation, dialect: str) -> str:
    """Return an author's query as it is written, `{table}` replaced by the table's name."""
    return query.replace("{table}", render(relation, dialect))


def _ask(label: str, value: str, relation: Relation, dialect: str) -> str:
    return (
        f"select {_text(label, dialect)} as label, {_number(value, dialect)} as value\n"
        f"from {render(relation, dialect)}"
    )


def _number(value: str, dialect: str) -> str:
    return f"cast({value} as {get_engine(dialect).values.number})"


def _text(value: str, dialect: str) -> str:
    return f"cast({value} as {get_engine(dialect).values.text})"


def _epoch(value: str, dialect: str) -> str:
    return get_engine(dialect).values.epoch.format(value)


def _day(name: str, kind: Moment, zone: str, dialect: str) -> str:
    if kind is Moment.DATE:
        return name
    if kind is Moment.NAIVE:
        return f"cast({name} as date)"
    written = get_engine(dialect).values.day_in_zone
    return written.format(value=name, zone=literal(zone, dialect))


def _day_text(day: str, dialect: str) -> str:
    return get_engine(dialect).values.day_as_text.format(day)


def _midnight(day: date, kind: Moment, zone: str, dialect: str) -> str:
    if kind is Moment.DATE:
        return f"date '{day:%Y-%m-%d}'"
    values = get_engine(dialect).values
    if kind is Moment.NAIVE:
        return f"cast('{day:%Y-%m-%d} 00:00:00' as {values.naive})"
    begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return f"cast('{begins:%Y-%m-%d %H:%M:%S}+00:00' as {values.aware})"


def days_before(today: date, count: int, *, today_too: bool = False) -> tuple[date, date]:
    """Return the first of so many days before today, and the one after the last."""
    return today - timedelta(days=count), today + timedelta(days=1 if today_too else 0)
