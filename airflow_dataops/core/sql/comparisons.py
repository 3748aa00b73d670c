"""Comparisons where NULL equals NULL, and what a changed table goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote

if TYPE_CHECKING:
    from collections.abc import Sequence


def same(one: str, other: str, dialect: str) -> str:
    """Return the condition that two expressions have one value, or are both NULL."""
    return get_engine(dialect).values.same.format(one, other)


def differ(one: str, other: str, dialect: str) -> str:
    """Return the condition that they have not.

    Where it is not true it may be NULL: it is for WHERE, WHEN and OR, never for NOT.
    """
    return get_engine(dialect).values.differ.format(one, other)


def same_key(
    keys: Sequence[str], dialect: str, *, null_keys: bool = False, of: tuple[str, str] = ("t", "s")
) -> str:
    """Return the condition that two tables, `t` and `s` unless `of` says otherwise, share a key."""
    one, other = of
    pairs = [(f"{one}.{quote(key, dialect)}", f"{other}.{quote(key, dialect)}") for key in keys]
    if null_keys:
        return " and ".join(same(*pair, dialect) for pair in pairs)
    return " and ".join(f"{mine} = {theirs}" for mine, theirs in pairs)


def distinct(columns: Sequence[str], dialect: str, of: tuple[str, str] = ("t", "s")) -> str:
    """Return the condition that a row of one table differs from one of another in some column."""
    names = [quote(column, dialect) for column in columns]
    one, other = of
    return " or ".join(differ(f"{one}.{n}", f"{other}.{n}", dialect) for n in names) or "false"


def changing_as(table: str, alias: str, dialect: str) -> tuple[str, str]:
    """Return what DELETE FROM or MERGE INTO is followed by, and what the table's columns go by.

    Args:
        table: its name, as SQL.
        alias: what it goes by where the engine lets these statements have one.
    """
    if get_engine(dialect).values.target_alias:
        return f"{table} as {alias}", alias
    return table, table
