"""Statements that add the rows a table does not have, for rows that no key names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.identifiers import quote, quote_all
from airflow_dataops.core.sql.statements import Effect, Statement
from airflow_dataops.core.sql.types import Family, read_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.sql.tables import Table

_ROUNDED = (Family.DECIMAL, Family.NAIVE, Family.AWARE)


def insert_new_rows(
    target: Table, source: Table, columns: Sequence[str], dialect: str, *, among: str = ""
) -> Statement:
    """Return the statement that adds each row that is not there, once; NULL equals NULL.

    Args:
        among: condition for the rows of the target among which to look; empty for all.
    """
    names = quote_all(columns, dialect)
    stored = ", ".join(_as_stored(column, target, source, dialect) for column in columns)
    distinct = " distinct" if dialect == "bigquery" else ""
    where = f"\nwhere {among}" if among else ""
    return Statement(
        sql=(
            f"insert into {target.sql} ({names})\n"
            f"select {stored} from {source.sql}\n"
            f"except{distinct}\nselect {names} from {target.sql}{where}"
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
