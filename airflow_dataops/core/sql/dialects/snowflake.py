"""Snowflake, as dbt-snowflake uses it.

DDL commits by itself, so that a build is not one transaction: a table is replaced by one
statement, and the statements that change rows are a transaction of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects.dialect import (
    Databases,
    Dialect,
    Macros,
    Names,
    Replace,
    SeedRows,
    Seeds,
    Strategy,
    TextNulls,
    TypeChange,
)
from airflow_dataops.core.sql.identifiers import quote
from airflow_dataops.core.sql.statements import MARK, Statement
from airflow_dataops.core.sql.types import Family

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation

# https://docs.snowflake.com/en/sql-reference/functions/date_part
_EPOCH = "date_part(epoch_millisecond, {}) / 1000"


def _listing(relation: Relation, name: str) -> str:
    database = "" if relation.database is None else f"{quote(relation.database, 'snowflake')}."
    return f"{database}information_schema.{name}"


def _last_altered(relation: Relation) -> Statement:
    schema = "current_schema()" if relation.schema is None else MARK
    return Statement(
        sql=(
            f"select {_EPOCH.format('last_altered')} from {_listing(relation, 'tables')}\n"
            f"where table_name = {MARK} and table_schema = {schema}"
        ),
        parameters=tuple(filter(None, (relation.identifier, relation.schema))),
    )


SNOWFLAKE = Dialect(
    name="snowflake",
    databases=Databases.ANY,
    schemata=lambda relation: _listing(relation, "schemata"),
    current_database="current_database()",
    names=Names.EXACT,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.SNOWFLAKE,
    default_strategy=Strategy.MERGE,
    strategies=(
        Strategy.APPEND,
        Strategy.DELETE_INSERT,
        Strategy.MERGE,
        Strategy.INSERT_OVERWRITE,
    ),
    seeds=Seeds(nulls=TextNulls.BLANK_OR_NULL, rows=SeedRows.JSON, quoted=False),
    folded=str.upper,
    epoch=_EPOCH,
    last_altered=_last_altered,
    now="to_timestamp_ntz(convert_timezone('UTC', current_timestamp()))",
    midnight={
        Family.DATE: "date '{day}'",
        Family.NAIVE: "cast('{day} 00:00:00' as timestamp_ntz)",
        Family.AWARE: "cast('{day} 00:00:00 +0000' as timestamp_tz)",
    },
    type_change=TypeChange.ALTER,
    transient=True,
    # A session's own: no build has to sweep what a dead one left, as there is no lease.
    create_staging="create temporary table {}",
    sized_texts="varchar",
    time_digits=False,
)
