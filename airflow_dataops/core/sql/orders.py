"""Columns whose order decides: texts as numbers, and values that nothing comes after."""

from __future__ import annotations

from airflow_dataops.core.sql.identifiers import quote
from airflow_dataops.core.sql.types import Family, read_type

NUMBERS = {
    "bigquery": "bignumeric",
    "duckdb": "decimal(38,0)",
    "postgres": "numeric(38,0)",
    "snowflake": "number(38,0)",
}
"""The type that holds whole numbers of up to 38 digits."""
_TEXTUAL = frozenset(
    ("json", "jsonb", "xml", "variant", "object", "citext", "char", "bpchar", "name", "hstore")
)
"""Types of no family whose values are compared as texts, or by no order that says anything."""
TIMES = (Family.DATE, Family.NAIVE, Family.AWARE)
_WHOLE = {
    "bigquery": "regexp_contains({}, r'^-?[0-9]{{1,38}}$')",
    "duckdb": "regexp_full_match({}, '-?[0-9]{{1,38}}')",
    "postgres": "{} ~ '^-?[0-9]{{1,38}}$'",
    "snowflake": "regexp_like({}, '-?[0-9]{{1,38}}')",
}


def is_text(type_: str, dialect: str) -> bool:
    """Tell whether values of a type are in the order of texts."""
    family = read_type(type_, dialect).family
    if family is Family.OTHER:
        return type_.strip('"').removesuffix("[]").lower() in _TEXTUAL
    return family is Family.TEXT


def no_number(column: str, dialect: str) -> str:
    """Return the condition that a text is no whole number; NULL is none of these."""
    name = quote(column, dialect)
    return f"{name} is not null and not {_WHOLE[dialect].format(name)}"


def as_number(column: str, helper: str, table: str, dialect: str) -> str:
    """Return the query for a table's rows with a column of texts as a number besides."""
    name, number = quote(column, dialect), quote(helper, dialect)
    return f"select *, cast({name} as {NUMBERS[dialect]}) as {number}\nfrom {table}"


def not_finite(column: str, type_: str, dialect: str) -> str | None:
    """Return the condition for NaN and the infinities; None where a type has none of them.

    It is NULL or false where the column is NULL.
    """
    name, family = quote(column, dialect), read_type(type_, dialect).family
    if dialect == "postgres" and family in (Family.FLOAT, Family.DECIMAL):
        return f"cast({name} as text) in ('NaN', 'Infinity', '-Infinity')"
    if dialect in ("postgres", "duckdb") and family in TIMES:
        return f"not isfinite({name})"
    if family is not Family.FLOAT:
        return None
    if dialect == "duckdb":
        return f"not isfinite({name})"
    if dialect == "bigquery":
        return f"(is_nan({name}) or is_inf({name}))"
    return f"{name} in (cast('nan' as double), cast('inf' as double), cast('-inf' as double))"


def finite_rows(table: str, condition: str) -> str:
    """Return the query for the rows that do not meet `not_finite`."""
    return f"select * from {table} where case when {condition} then false else true end"


def unequal_to_itself(column: str, type_: str, dialect: str) -> str | None:
    """Return the condition for values that do not equal themselves; None where all do.

    Only BigQuery's NaN is one: as a key it would be added again by each load.
    """
    if dialect != "bigquery" or read_type(type_, dialect).family is not Family.FLOAT:
        return None
    return f"is_nan({quote(column, dialect)})"
