"""BigQuery, as dbt-bigquery uses it.

DDL cannot be part of a transaction, so that a build is not one: a table is replaced by one
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


def _schemata(relation: Relation) -> str:
    project = "" if relation.database is None else f"{quote(relation.database, 'bigquery')}."
    return f"{project}INFORMATION_SCHEMA.SCHEMATA"


def _last_altered(relation: Relation) -> Statement:
    parts = (relation.database, relation.schema)
    dataset = ".".join(quote(part, "bigquery") for part in parts if part is not None)
    # INFORMATION_SCHEMA tells it by region only, which nobody here knows.
    return Statement(
        sql=f"select last_modified_time / 1000 from {dataset}.__TABLES__ where table_id = {MARK}",
        parameters=(relation.identifier,),
    )


BIGQUERY = Dialect(
    name="bigquery",
    databases=Databases.ANY,
    schemata=_schemata,
    current_database="@@project_id",
    names=Names.EXACT,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.BIGQUERY,
    default_strategy=Strategy.MERGE,
    strategies=(Strategy.MERGE, Strategy.INSERT_OVERWRITE),
    seeds=Seeds(
        nulls=TextNulls.NEVER,
        rows=SeedRows.JSON,
        types={
            "integer": "int64",
            "float8": "float64",
            "text": "string",
            "boolean": "bool",
            "timestamp without time zone": "datetime",
        },
    ),
    epoch="unix_micros(cast({} as timestamp)) / 1000000",
    last_altered=_last_altered,
    now="current_timestamp()",
    row_id="to_hex(md5({}))",
    text="string",
    midnight={
        Family.DATE: "date '{day}'",
        Family.NAIVE: "datetime '{day} 00:00:00'",
        Family.AWARE: "timestamp '{day} 00:00:00+00:00'",
    },
    type_change=TypeChange.REWRITE,
)
