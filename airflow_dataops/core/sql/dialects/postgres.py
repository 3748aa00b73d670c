"""Postgres, from version 15 on: the first with MERGE.

Its own list of schemas is read in place of `information_schema`, which leaves out what a role
may not use.
"""

from __future__ import annotations

from airflow_dataops.core.sql.dialects.dialect import (
    Databases,
    Dialect,
    Macros,
    Names,
    Replace,
    Seeds,
    Strategy,
    TextNulls,
)

_SCHEMATA = (
    "(select current_database() as catalog_name, nspname as schema_name\n"
    "from pg_catalog.pg_namespace) as listed"
)

POSTGRES = Dialect(
    name="postgres",
    databases=Databases.OF_SESSION,
    schemata=lambda _: _SCHEMATA,
    current_database="current_database()",
    names=Names.EXACT,
    # A view's columns cannot be taken away, and a table cannot be replaced at all.
    replace_table=Replace.SWAP,
    replace_view=Replace.SWAP,
    macros=Macros.DBT,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seeds=Seeds(nulls=TextNulls.BLANK_OR_NULL),
    folded=str.lower,
    sized_texts="character varying",
)
