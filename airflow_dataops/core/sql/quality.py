"""The SQL of quality checks: aggregates that share one scan, and the rows that are wrong.

A condition is true for a wrong row. Conditions that look at other rows call the table `checked`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.engines.types import read_type
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.sql.tables import TableColumn

_CHECKED = "checked"
_TYPE = re.compile(r"[\w ,()<>\[\]]+")


def scan(table: str, aggregates: Sequence[Statement]) -> Statement:
    """Return the query for the number of rows, then each aggregate: one pass over the table."""
    listed = "".join(f",\n  {each.sql}" for each in aggregates)
    return Statement(
        sql=f"select\n  count(*){listed}\nfrom {table} as {_CHECKED}",
        parameters=tuple(value for each in aggregates for value in each.parameters),
    )


def count_of(condition: Statement) -> Statement:
    """Return the aggregate for the number of rows that meet a condition."""
    sql = f"count(case when {condition.sql} then 1 end)"
    return Statement(sql=sql, parameters=condition.parameters)


def count_rows(table: str, condition: Statement) -> Statement:
    """Return the query for that number, where an aggregate cannot hold the condition."""
    return Statement(
        sql=f"select count(*)\nfrom {table} as {_CHECKED}\nwhere {condition.sql}",
        parameters=condition.parameters,
    )


def rows_where(table: str, condition: Statement, limit: int) -> Statement:
    """Return the query for some rows that meet a condition."""
    return Statement(
        sql=(
            f"select {_CHECKED}.*\nfrom {table} as {_CHECKED}\n"
            f"where {condition.sql}\nlimit {int(limit)}"
        ),
        parameters=condition.parameters,
    )


def authored(sql: str) -> Statement:
    """Return an author's SQL, on lines of its own."""
    return Statement(sql=f"(\n{sql}\n)")


def unmet(condition: str) -> Statement:
    """Return the condition that an author's condition is false, or NULL."""
    return Statement(sql=f"case when (\n{condition}\n) then false else true end")


def null_count(column: str, dialect: str) -> Statement:
    """Return the aggregate for the rows without a value: cheaper than `count_of`."""
    return Statement(sql=f"count(*) - count({quote(column, dialect)})")


def is_null(column: TableColumn, dialect: str, *, not_finite: bool = False) -> Statement:
    """Return the condition that a column has no value.

    Args:
        not_finite: whether NaN and the infinities are none either.
    """
    name = quote(column.name, dialect)
    infinite = _not_finite(column, dialect) if not_finite else None
    return Statement(sql=f"({name} is null{f' or {infinite}' if infinite else ''})")


def excess(column: str, dialect: str) -> Statement:
    """Return the aggregate for the rows whose value an earlier row has."""
    name = quote(column, dialect)
    return Statement(sql=f"count({name}) - count(distinct {name})")


def excess_of_key(table: str, columns: Sequence[str], dialect: str) -> Statement:
    """Return the query for the same of several columns; a key that holds NULL is none."""
    keys = _repeated(table, columns, dialect, "count(*) - 1 as more")
    return Statement(sql=f"select coalesce(sum(more), 0)\nfrom (\n{keys}\n) as repeated")


def repeated_rows(table: str, columns: Sequence[str], dialect: str, limit: int) -> Statement:
    """Return the query for some rows whose key several rows have."""
    keys = _repeated(table, columns, dialect, quote_all(columns, dialect))
    same = " and ".join(f"{_CHECKED}.{n} = repeated.{n}" for n in _quoted(columns, dialect))
    return Statement(
        sql=(
            f"select {_CHECKED}.*\nfrom {table} as {_CHECKED}\n"
            f"join (\n{keys}\n) as repeated on {same}\nlimit {int(limit)}"
        )
    )


def not_among(column: str, values: Sequence[Any], dialect: str) -> Statement:
    """Return the condition that a column has a value, and none of these."""
    name, marks = quote(column, dialect), ", ".join(MARK for _ in values)
    return Statement(sql=f"{name} not in ({marks})", parameters=tuple(values))


def out_of_range(column: TableColumn, low: Any, high: Any, dialect: str) -> Statement:
    """Return the condition that a value is not within bounds; NaN never is, NULL always is."""
    name = quote(column.name, dialect)
    bounds = [(sign, value) for sign, value in (("<", low), (">", high)) if value is not None]
    tests = [f"{name} {sign} {MARK}" for sign, _ in bounds]
    # NaN is above all numbers on some engines, and beside them on others.
    if (infinite := _not_finite(column, dialect)) is not None:
        tests.append(infinite)
    return Statement(sql=f"({' or '.join(tests)})", parameters=tuple(value for _, value in bounds))


def orphaned(column: str, parent: Relation, key: str, dialect: str) -> Statement:
    """Return the condition that no row of another table has a column's value."""
    name = f"{_CHECKED}.{quote(column, dialect)}"
    found = f"select 1 from {render(parent, dialect)} as parent"
    return Statement(
        sql=(
            f"{name} is not null\n  and not exists ({found} "
            f"where parent.{quote(key, dialect)} = {name})"
        )
    )


def newest(column: str, dialect: str) -> Statement:
    """Return the aggregate for the greatest time: seconds since 1970."""
    values = get_engine(dialect).values
    seconds = values.epoch.format(f"max({quote(column, dialect)})")
    return Statement(sql=f"cast({seconds} as {values.number})")


def _not_finite(column: TableColumn, dialect: str) -> str | None:
    family = read_type(column.type, dialect).family
    return get_engine(dialect).values.not_finite(quote(column.name, dialect), family)


def _repeated(table: str, columns: Sequence[str], dialect: str, selected: str) -> str:
    present = " and ".join(f"{name} is not null" for name in _quoted(columns, dialect))
    return (
        f"select {selected}\nfrom {table}\nwhere {present}\n"
        f"group by {quote_all(columns, dialect)}\nhaving count(*) > 1"
    )


def _quoted(columns: Sequence[str], dialect: str) -> list[str]:
    return [quote(column, dialect) for column in columns]


def conforming(
    table: str,
    kept: Sequence[str],
    emptied: Sequence[tuple[str, str]],
    valueless: Sequence[str],
    valued: Sequence[str],
    dialect: str,
) -> str:
    """Return the query for what a contract takes of a batch.

    Args:
        emptied: columns that are NULL, with their type.
        valueless, valued: columns in which a row has no value, or has one.
    """
    selected = [quote(name, dialect) for name in kept]
    selected += [
        f"cast(null as {type_name(type_, dialect)}) as {quote(name, dialect)}"
        for name, type_ in emptied
    ]
    tests = [f"{name} is null" for name in _quoted(valueless, dialect)]
    tests += [f"{name} is not null" for name in _quoted(valued, dialect)]
    where = f"\nwhere {' and '.join(tests)}" if tests else ""
    return f"select {', '.join(selected)}\nfrom {table}{where}"


def type_name(text: str, dialect: str) -> str:
    """Return the name of a type that somebody else wrote, read and written anew.

    Raises:
        ConfigError: it is none.
    """
    # sqlglot reads past what follows a type.
    if _TYPE.fullmatch(text) and _is_balanced(text):
        with suppress(SqlglotError):
            return exp.DataType.build(text, dialect=dialect).sql(dialect=dialect)
    raise ConfigError(f"{text!r} is no type of {dialect}.")


def _is_balanced(text: str) -> bool:
    """Tell whether no bracket is closed that was not opened."""
    depth = 0
    for sign in text:
        depth += (sign in "(<[") - (sign in ")>]")
        if depth < 0:
            return False
    return depth == 0
