"""What dbt's adapter makes of an enforced contract."""

from __future__ import annotations

from collections.abc import Callable

from airflow_dataops.core.model import Struct


class Contracts(Struct, frozen=True):
    """How columns are described, and which constraints a table has.

    Attributes:
        inserts: whether a table is made of the contract's columns and then filled, instead of
            being made with its rows.
        describe: the query for the names and types of those of a query, `{}`; None where a
            table of its columns tells them.
        seen: the name by which dbt's adapter compares a type that the engine spells like that.
        written: constraints that the adapter writes, by dbt's names; `custom` is always.
        unenforced: those that end with NOT ENFORCED.
    """

    inserts: bool = False
    describe: str | None = None
    seen: Callable[[str], str] = str
    written: frozenset[str] = frozenset(
        {"check", "not_null", "unique", "primary_key", "foreign_key"}
    )
    unenforced: frozenset[str] = frozenset()


def without_limits(type_: str) -> str:
    """Return a type's name without what stands behind it in parentheses."""
    return type_.partition("(")[0].strip()
