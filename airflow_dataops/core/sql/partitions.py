"""Statements that put rows in the place of a partition's.

One condition tells both what is deleted and what may be inserted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.statements import MARK, Effect, Statement
from airflow_dataops.core.engines.types import Family, read_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.sql.tables import TableColumn


def condition(
    values: Mapping[str, Any],
    within: tuple[str, Any, Any] | None,
    columns: Mapping[str, TableColumn],
    dialect: str,
) -> Statement:
    """Return the condition for a partition's rows. Column and value are of the target's type.

    Args:
        values: value by column; None for NULL.
        within: a column, and a half-open range of it.
        columns: those of the target, by name.
    """
    tests, bound = [], []
    for column, value in values.items():
        converted = _converted(columns[column], dialect)
        if value is None:
            tests.append(f"{converted} is null")
        else:
            tests.append(f"{converted} = {_value(columns[column], dialect)}")
            bound.append(value)
    if within is not None:
        column, start, end = within
        converted, value_ = _converted(columns[column], dialect), _value(columns[column], dialect)
        tests.append(f"{converted} >= {value_} and {converted} < {value_}")
        bound += [start, end]
    return Statement(sql=" and ".join(tests), parameters=tuple(bound))


def outside(partition: Statement) -> Statement:
    """Return the condition for rows that are not of a partition, NULL among them."""
    return Statement(
        sql=f"case when {partition.sql} then false else true end",
        parameters=partition.parameters,
    )


def replace_partition(
    target: str, source: str, columns: Sequence[str], partition: Statement, dialect: str
) -> tuple[Statement, ...]:
    """Return the statements that delete a partition's rows and insert the source's."""
    names = quote_all(columns, dialect)
    return (
        Statement(
            sql=f"delete from {target}\nwhere {partition.sql}",
            parameters=partition.parameters,
            effect=Effect.DELETED,
        ),
        Statement(
            sql=(
                f"insert into {target} ({names})\n"
                f"select {names} from {source}\nwhere {partition.sql}"
            ),
            parameters=partition.parameters,
            effect=Effect.INSERTED,
        ),
    )


def _converted(column: TableColumn, dialect: str) -> str:
    # The same conversion on both sides, or a deletion finds other rows than the insertion
    # adds. Where the types are equal the engine drops it, and its index or zone map is used.
    return f"cast({quote(column.name, dialect)} as {column.type})"


def _value(column: TableColumn, dialect: str) -> str:
    # A text is not cut to the column's length: it would be another partition's.
    cut = read_type(column.type, dialect).family in (Family.TEXT, Family.OTHER)
    return f"cast({MARK} as {column.cast if cut else column.type})"
