"""Statements that add the rows a table does not have, for rows that no key names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.statements import Effect, Statement
from airflow_dataops.core.engines.types import Family, read_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.sql.tables import Table

_ROUNDED = (Family.DECIMAL, Family.NAIVE, Family.AWARE)


def insert_rows(target: Table, source: Table, columns: Sequence[str], dialect: str) -> Statement:
    """Return the statement that adds all rows."""
    names = quote_all(columns, dialect)
    return Statement(
        sql=f"insert into {target.sql} ({names})\nselect {names} from {source.sql}",
        effect=Effect.INSERTED,
    )


def insert_missing_copies(
    target: Table, source: Table, columns: Sequence[str], dialect: str, *, among: str = ""
) -> Statement:
    """Return the statement that adds the rows of which the target has fewer copies.

    So rows that were read before are not added again, and rows that are equal are as many as in
    the source. NULL equals NULL.

    Args:
        among: condition for the rows of the target among which to look; empty for all.
    """
    names = quote_all(columns, dialect)
    where = f"\nwhere {among}" if among else ""
    values = get_engine(dialect).values
    if values.except_all:
        stored = ", ".join(_as_stored(column, target, source, dialect) for column in columns)
        query = (
            f"select {stored} from {source.sql}\n"
            f"except all\nselect {names} from {target.sql}{where}"
        )
        return Statement(sql=f"insert into {target.sql} ({names})\n{query}", effect=Effect.INSERTED)
    stored = ", ".join(
        f"{_as_stored(column, target, source, dialect)} as {quote(column, dialect)}"
        for column in columns
    )
    copy = _copy(columns, source, dialect)
    return Statement(
        sql=(
            f"insert into {target.sql} ({names})\nselect {names} from (\n"
            f"  select {names}, {copy}\n  from (select {stored} from {source.sql}) as staged\n"
            f"  {values.except_once}\n  select {names}, {copy}\n  from {target.sql}{where}\n"
            ") as missing"
        ),
        effect=Effect.INSERTED,
    )


def insert_new_rows(
    target: Table, source: Table, columns: Sequence[str], dialect: str, *, among: str = ""
) -> Statement:
    """Return the statement that adds each row that is not there, once; NULL equals NULL.

    Args:
        among: condition for the rows of the target among which to look; empty for all.
    """
    names = quote_all(columns, dialect)
    stored = ", ".join(_as_stored(column, target, source, dialect) for column in columns)
    once = get_engine(dialect).values.except_once
    where = f"\nwhere {among}" if among else ""
    return Statement(
        sql=(
            f"insert into {target.sql} ({names})\n"
            f"select {stored} from {source.sql}\n"
            f"{once}\nselect {names} from {target.sql}{where}"
        ),
        effect=Effect.INSERTED,
    )


def _as_stored(column: str, target: Table, source: Table, dialect: str) -> str:
    """Round as the target will: 1.005 is not found again where 1.01 was stored."""
    name = quote(column, dialect)
    if column not in target.names:
        return name
    type_ = target.type_of(column)
    if type_ == source.type_of(column) or read_type(type_, dialect).family not in _ROUNDED:
        return name
    return f"cast({name} as {type_})"


def _copy(columns: Sequence[str], source: Table, dialect: str) -> str:
    """Number the copies of each row."""
    alike = ", ".join(_groupable(column, source, dialect) for column in columns)
    first = quote(columns[0], dialect)  # they are equal, but Snowflake wants an order
    return f"row_number() over (partition by {alike} order by {first}) as dataops_copy"


def _groupable(column: str, source: Table, dialect: str) -> str:
    name = quote(column, dialect)
    is_float = read_type(source.type_of(column), dialect).family is Family.FLOAT
    return get_engine(dialect).values.grouped_float.format(name) if is_float else name
