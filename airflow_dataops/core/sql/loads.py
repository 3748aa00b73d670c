"""Statements that add the rows of one table to another: dbt's incremental strategies.

`source` and `target` are rendered names. Columns and keys are plain names that both sides
have. Predicates are the author's SQL, embedded verbatim.

Two habits of dbt are kept, because the oracle is dbt:

- NULL keys match nothing. Such rows are added again by every build.
- Duplicate keys among the new rows: `delete+insert` keeps them all; `merge` fails in the
  engine when they match an existing row, and keeps them all when they do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.models import Macros
from airflow_dataops.core.sql.comparisons import changing_as

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    Batch = tuple[datetime, datetime]

_DUCKDB_TARGET = "DBT_INCREMENTAL_TARGET"
MERGE_TARGET = "DBT_INTERNAL_DEST"
_MERGE_SOURCE = "DBT_INTERNAL_SOURCE"


def insert(target: str, source: str, columns: Sequence[str], dialect: str) -> str:
    """Return a statement that adds all rows of `source`."""
    names = quote_all(columns, dialect)
    return f"insert into {target} ({names})\nselect {names}\nfrom {source}"


def delete_batch(
    target: str, column: str, batch: Batch, predicates: Sequence[str], dialect: str
) -> str:
    """Return a statement that deletes the rows of a batch.

    Args:
        column: the one with the time of a row, as the author wrote it.
        batch: from when on, and up to when, in UTC.
    """
    if get_engine(dialect).models.macros is Macros.DUCKDB:
        tail = "".join(f"\n  and ({predicate})" for predicate in predicates)
        return f"delete from {target}\nwhere {_within(column, batch)}{tail}"
    named = f"DBT_INTERNAL_TARGET.{column}"
    begin, end = (f"to_timestamp_tz('{time}')" for time in batch)
    tests = (*predicates, f"{named} >= {begin}", f"{named} < {end}")
    between = "\n  and "
    return f"delete from {target} as DBT_INTERNAL_TARGET\nwhere {between.join(tests)}"


def insert_batch(
    target: str, source: str, columns: Sequence[str], column: str, batch: Batch, dialect: str
) -> str:
    """Return a statement that adds the rows of a batch; dbt-snowflake adds all rows."""
    sql = insert(target, source, columns, dialect)
    if get_engine(dialect).models.macros is Macros.DUCKDB:
        return f"{sql}\nwhere {_within(column, batch)}"
    return sql


def _within(column: str, batch: Batch) -> str:
    return f"{column} >= '{batch[0]}'\n  and {column} < '{batch[1]}'"


def delete_matching(
    target: str, source: str, keys: Sequence[str], predicates: Sequence[str], dialect: str
) -> str:
    """Return a statement that deletes the rows whose key is in `source`.

    Predicates name the target `DBT_INTERNAL_DEST`, or by bare columns; on DuckDB see below.
    They follow `and` without parentheses, so that one with a bare `or` means what it means to
    dbt.
    """
    if get_engine(dialect).models.macros is Macros.DUCKDB:
        return _delete_matching_on_duckdb(target, source, keys, predicates, dialect)
    into, called = changing_as(target, MERGE_TARGET, dialect)
    names = quote_all(keys, dialect)
    tail = "".join(f"\n  and {_about(called, predicate)}" for predicate in predicates)
    return f"delete from {into}\nwhere ({names}) in (select distinct {names} from {source}){tail}"


def _delete_matching_on_duckdb(
    target: str, source: str, keys: Sequence[str], predicates: Sequence[str], dialect: str
) -> str:
    """Return dbt-duckdb's statement, whose form depends on the key.

    One column: the target goes by its own name, so predicates use bare column names. Several
    columns, or a predicate that says so: the target goes by `DBT_INCREMENTAL_TARGET`.
    """
    named = any(re.search(rf"\b{_DUCKDB_TARGET}\b", p, re.IGNORECASE) for p in predicates)
    tail = "".join(f"\n  and {predicate}" for predicate in predicates)
    if len(keys) == 1 and not named:
        key = quote(keys[0], dialect)
        return f"delete from {target}\nwhere {key} in (select {key} from {source}){tail}"
    match = "\n  and ".join(
        f"{source}.{quote(key, dialect)} = {_DUCKDB_TARGET}.{quote(key, dialect)}" for key in keys
    )
    return f"delete from {target} as {_DUCKDB_TARGET}\nusing {source}\nwhere {match}{tail}"


def overwrite(target: str, source: str, columns: Sequence[str], dialect: str) -> str:
    """Return a statement that puts the rows of `source` in the place of all rows."""
    return insert(target, source, columns, dialect).replace(
        "insert into", "insert overwrite into", 1
    )


def overwrite_partitions(
    target: str, source: str, columns: Sequence[str], condition: str, dialect: str
) -> str:
    """Return a statement that puts the rows of `source` in the place of those that meet a
    condition, which names the target `DBT_INTERNAL_DEST`.
    """
    names = quote_all(columns, dialect)
    return (
        f"merge into {target} as {MERGE_TARGET}\n"
        f"using {source} as {_MERGE_SOURCE}\n"
        f"on false\n"
        f"when not matched by source and {condition} then delete\n"
        f"when not matched then insert ({names})\n"
        f"values ({names})"
    )


def distinct_values(source: str, expression: str) -> str:
    """Return a query for the values that an expression has in the rows of `source`."""
    return f"select distinct {expression} from {source}"


def delete_where(target: str, condition: str) -> str:
    """Return a statement that deletes the rows that meet a condition."""
    return f"delete from {target}\nwhere {condition}"


def limited(query: str, condition: str) -> str:
    """Return a query for those of a query's rows that meet a condition."""
    return f"select *\nfrom (\n{query}\n) as dataops_rows\nwhere {condition}"


def merge(
    target: str,
    source: str,
    keys: Sequence[str],
    *,
    insert_columns: Sequence[str],
    update_columns: Sequence[str],
    predicates: Sequence[str],
    dialect: str,
) -> str:
    """Return a statement that updates the rows whose key is in `source` and adds the others.

    Predicates name the target `DBT_INTERNAL_DEST` and the new rows `DBT_INTERNAL_SOURCE`;
    they are part of the match. Without keys nothing matches and every row is added.
    """
    if not keys and not get_engine(dialect).models.merges_on_constants:
        return insert(target, source, insert_columns, dialect)
    into, called = changing_as(target, MERGE_TARGET, dialect)
    match = [
        f"{_MERGE_SOURCE}.{quote(key, dialect)} = {called}.{quote(key, dialect)}" for key in keys
    ] or ["false"]
    authored = [f"(\n{_about(called, predicate)}\n)" for predicate in predicates]
    on = "\n  and ".join([f"({test})" for test in match] + authored)
    updates = ", ".join(
        f"{quote(name, dialect)} = {_MERGE_SOURCE}.{quote(name, dialect)}"
        for name in update_columns
    )
    values = ", ".join(f"{_MERGE_SOURCE}.{quote(name, dialect)}" for name in insert_columns)
    matched = f"when matched then update set {updates}\n" if updates else ""
    return (
        f"merge into {into}\n"
        f"using {source} as {_MERGE_SOURCE}\n"
        f"on {on}\n"
        f"{matched}"
        f"when not matched then insert ({quote_all(insert_columns, dialect)})\n"
        f"values ({values})"
    )


def _about(called: str, predicate: str) -> str:
    """Return an author's predicate for a target that goes by its name, as dbt-redshift does."""
    if called == MERGE_TARGET:
        return predicate
    for alias in (MERGE_TARGET, MERGE_TARGET.lower()):
        predicate = predicate.replace(f"{alias}.", f"{called}.")
    return predicate
