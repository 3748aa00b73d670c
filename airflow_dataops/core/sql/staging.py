"""Staging tables: their names, what is asked of them, and how they go."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render, subquery
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Relation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.engines.base import Engine

_RANK = "dataops_rank"


def staging_prefix(target: Relation, partition: str, engine: Engine) -> str:
    """Return how the names of all staging tables of one target and partition begin.

    It is the target's name, cut to the engine's limit, and a digest of both.
    """
    digest = hashlib.sha256(f"{target}\n{partition}".encode()).hexdigest()[:8]
    mark = f"__stg_{digest}_"
    return engine.naming.cut(target.identifier, len(mark) + 8) + mark


def staging_table(target: Relation, name: str, engine: Engine, *, session: bool) -> Relation:
    """Return where a staging table of that name is: with the session, or by its target."""
    if session and engine.loads.session is not None:
        database, schema = engine.loads.session
        return Relation(identifier=name, schema=schema, database=database)
    return Relation(identifier=name, schema=target.schema, database=target.database)


def create_as(
    staging: Relation,
    query: str,
    dialect: str,
    *,
    columns: str = "",
    create_staging: str | None = None,
) -> str:
    """Return a statement that makes a staging table of a query's rows.

    Args:
        columns: those of the table, where they are not the query's alone.
        create_staging: in place of `LoadSql.create_staging`.
    """
    made = create_table(staging, columns, dialect, create_staging=create_staging)
    return f"{made} as {subquery(query)}"


def create_table(
    staging: Relation, columns: str, dialect: str, *, create_staging: str | None = None
) -> str:
    """Return a statement that makes a staging table, empty where `columns` describes some.

    Args:
        create_staging: in place of `LoadSql.create_staging`.
    """
    kept = create_staging or get_engine(dialect).loads.create_staging
    create = "create temporary table {}" if is_of_session(staging, dialect) else kept
    return create.replace("{}", f"{render(staging, dialect)}{columns}")


def is_of_session(staging: Relation, dialect: str) -> bool:
    """Tell whether a staging table is one that only its session sees."""
    return (staging.database, staging.schema) == get_engine(dialect).loads.session


def drop_table(staging: Relation, dialect: str) -> Statement:
    """Return the statement that removes a staging table if it exists."""
    return Statement(sql=f"drop table if exists {render(staging, dialect)}")


def leftovers(target: Relation, prefix: str, engine: Engine) -> Statement:
    """Return the query for the names of staging tables by a target that begin like that."""
    parts = {"table_catalog": target.database, "table_schema": target.schema}
    known = {column: part for column, part in parts.items() if part is not None}
    tests = "".join(f" and lower({column}) = lower({MARK})" for column in known)
    listing = f"{engine.loads.information_schema}.tables"
    if engine.loads.tables_of is not None:
        listing = engine.loads.tables_of(target)
    return Statement(
        sql=(
            f"select table_name from {listing}\n"
            f"where substring(table_name, 1, {len(prefix)}) = {MARK}{tests}"
        ),
        parameters=(prefix, *known.values()),
    )


def rename_column(staging: Relation, old: str, new: str, dialect: str) -> Statement:
    """Return the statement that gives a column the name its target has for it."""
    table = render(staging, dialect)
    return Statement(
        sql=f"alter table {table} rename column {quote(old, dialect)} to {quote(new, dialect)}"
    )


def facts(table: str, conditions: Sequence[Statement], distinct: str = "") -> Statement:
    """Return the query for the number of rows, and of those that meet each condition.

    One pass over the table, whatever is asked.

    Args:
        distinct: a column, as SQL, whose values are counted last.
    """
    counts = "".join(f",\n  count(case when {test.sql} then 1 end)" for test in conditions)
    counts += f",\n  count(distinct {distinct})" if distinct else ""
    return Statement(
        sql=f"select count(*){counts}\nfrom {table}",
        parameters=tuple(value for test in conditions for value in test.parameters),
    )


def any_row(table: str) -> Statement:
    """Return the query for a row of a table, if it has one."""
    return Statement(sql=f"select 1 from {table} limit 1")


def with_null(table: str, keys: Sequence[str], dialect: str) -> str:
    """Return a subquery for the rows whose key is, or holds, NULL."""
    return f"(select * from {table} where {any_null(keys, dialect)})"


def with_value(table: str, column: str, dialect: str) -> str:
    """Return the query for the rows that have a value in a column."""
    return f"select * from {table} where {quote(column, dialect)} is not null"


def without_null(table: str, keys: Sequence[str], dialect: str) -> str:
    """Return a subquery for the other rows."""
    return f"(select * from {table} where not ({any_null(keys, dialect)}))"


def any_null(columns: Sequence[str], dialect: str, prefix: str = "") -> str:
    """Return the condition that one of the columns is NULL."""
    return " or ".join(f"{prefix}{quote(column, dialect)} is null" for column in columns)


def duplicates(table: str, keys: Sequence[str], dialect: str, limit: int) -> Statement:
    """Return the query for some keys that several rows have, with the number of rows."""
    names = quote_all(keys, dialect)
    return Statement(
        sql=(
            f"select {names}, count(*)\nfrom {table}\n"
            f"group by {names}\nhaving count(*) > 1\nlimit {limit}"
        )
    )


def distinct_rows(table: str, columns: Sequence[str], dialect: str) -> str:
    """Return the query for a table's rows, each once."""
    return f"select distinct {quote_all(columns, dialect)}\nfrom {table}"


def last_rows(
    table: str, columns: Sequence[str], keys: Sequence[str], order: Sequence[str], dialect: str
) -> str:
    """Return the query for the last row of each key; NULL comes first in the order."""
    return (
        f"select {quote_all(columns, dialect)}\n"
        f"from (\n  select *, row_number() over ({_window(keys, order, dialect)})"
        f" as {_RANK}\n  from {table}\n) as ranked\nwhere {_RANK} = 1"
    )


def ties(
    table: str,
    columns: Sequence[str],
    keys: Sequence[str],
    order: Sequence[str],
    dialect: str,
    limit: int,
) -> Statement:
    """Return the query for some keys whose last rows are several, and not the same."""
    last = (
        f"select distinct {quote_all(columns, dialect)}\n"
        f"from (\n  select *, rank() over ({_window(keys, order, dialect)})"
        f" as {_RANK}\n  from {table}\n) as ranked\nwhere {_RANK} = 1"
    )
    return duplicates(f"{subquery(last)} as tied", keys, dialect, limit)


def _window(keys: Sequence[str], order: Sequence[str], dialect: str) -> str:
    # Engines disagree on where NULL sorts.
    ordered = ", ".join(
        f"case when {quote(c, dialect)} is null then 1 else 0 end, {quote(c, dialect)} desc"
        for c in order
    )
    return f"partition by {quote_all(keys, dialect)} order by {ordered}"
