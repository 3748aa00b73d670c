"""Columns whose order decides: texts as numbers, and values that nothing comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.engines.types import Family, read_type
from airflow_dataops.core.sql.comparisons import changing_as, distinct, same, same_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_TEXTUAL = frozenset(
    ("json", "jsonb", "xml", "variant", "object", "citext", "char", "bpchar", "name", "hstore")
)
"""Types of no family whose values are compared as texts, or by no order that says anything."""


def is_text(type_: str, dialect: str) -> bool:
    """Tell whether values of a type are in the order of texts."""
    family = read_type(type_, dialect).family
    if family is Family.OTHER:
        return type_.strip('"').removesuffix("[]").lower() in _TEXTUAL
    return family is Family.TEXT


def no_number(column: str, dialect: str) -> str:
    """Return the condition that a text is no whole number; NULL is none of these."""
    name = quote(column, dialect)
    return f"{name} is not null and not {get_engine(dialect).values.is_whole.format(name)}"


def as_number(column: str, helper: str, table: str, dialect: str) -> str:
    """Return the query for a table's rows with a column of texts as a number besides."""
    name, number = quote(column, dialect), quote(helper, dialect)
    whole = get_engine(dialect).values.whole
    return f"select *, cast({name} as {whole}) as {number}\nfrom {table}"


def drop_preceding(
    table: str,
    target: str,
    keys: Sequence[str],
    order: Sequence[str],
    dialect: str,
    *,
    texts: Collection[str] = (),
    null_keys: bool = False,
) -> Statement:
    """Return the statement that drops rows which come before what the target has of their key.

    It changes the staging table alone. NULL comes first in the order.

    Args:
        texts: those columns of `order` whose texts are whole numbers; other texts are like NULL.
    """
    into, s = changing_as(table, "s", dialect)
    alike, later = "", []
    for column in order:
        kept, new = (_ordered(column, of, dialect, column in texts) for of in ("t.", f"{s}."))
        later.append(f"{alike}({kept} is not null and ({new} is null or {kept} > {new}))")
        alike += f"{same(kept, new, dialect)} and "
    return Statement(
        sql=(
            f"delete from {into}\nwhere exists (select 1 from {target} as t"
            f" where {same_key(keys, dialect, null_keys=null_keys, of=('t', s))}\n"
            f"  and ({' or '.join(later)}))"
        )
    )


def ordered_otherwise(
    table: str, target: str, keys: Sequence[str], columns: Sequence[str], dialect: str
) -> Statement:
    """Return the query for a row of whose key the target has other values in some columns."""
    return Statement(
        sql=(
            f"select 1 from {table} as s\njoin {target} as t on {same_key(keys, dialect)}\n"
            f"where {distinct(columns, dialect)}\nlimit 1"
        )
    )


def _ordered(column: str, prefix: str, dialect: str, as_number: bool) -> str:
    name = f"{prefix}{quote(column, dialect)}"
    if not as_number:
        return name
    values = get_engine(dialect).values
    return f"case when {values.is_whole.format(name)} then cast({name} as {values.whole}) end"


def not_finite(column: str, type_: str, dialect: str) -> str | None:
    """Return the condition for NaN and the infinities; None where a type has none of them.

    It is NULL or false where the column is NULL.
    """
    family = read_type(type_, dialect).family
    return get_engine(dialect).values.not_finite(quote(column, dialect), family)


def finite_rows(table: str, condition: str) -> str:
    """Return the query for the rows that do not meet `not_finite`."""
    return f"select * from {table} where case when {condition} then false else true end"


def unequal_to_itself(column: str, type_: str, dialect: str) -> str | None:
    """Return the condition for values that do not equal themselves; None where all do.

    Only BigQuery's NaN is one: as a key it would be added again by each load.
    """
    is_float = read_type(type_, dialect).family is Family.FLOAT
    if not is_float or not get_engine(dialect).values.nan_differs:
        return None
    return f"is_nan({quote(column, dialect)})"
