"""Postgres, from version 15 on: the first with MERGE.

Its own lists are read in place of `information_schema`, which leaves out what a role may not
use, gives types without their precision, and is slow.
"""

from __future__ import annotations

from airflow_dataops.core.sql.dialects.dialect import (
    Dialect,
    Listings,
    Macros,
    Names,
    Replace,
    Strategy,
    TextNulls,
)

_RELATIONS = "pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
_NAMED = "current_database() as table_catalog, n.nspname as table_schema, c.relname as table_name"

POSTGRES = Dialect(
    name="postgres",
    listings=Listings(
        tables=(
            f"(select {_NAMED},\n"
            "  case when c.relkind in ('v', 'm') then 'VIEW' else 'BASE TABLE' end as table_type\n"
            f"from {_RELATIONS} where c.relkind in ('r', 'p', 'f', 'v', 'm')) as listed"
        ),
        columns=(
            f"(select {_NAMED}, a.attname as column_name,\n"
            "  pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type,\n"
            "  a.attnum as ordinal_position\n"
            f"from {_RELATIONS} join pg_catalog.pg_attribute as a on a.attrelid = c.oid\n"
            "where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0"
            " and not a.attisdropped) as listed"
        ),
        schemata=(
            "(select current_database() as catalog_name, nspname as schema_name\n"
            "from pg_catalog.pg_namespace) as listed"
        ),
    ),
    current_database="current_database()",
    temporary="table_schema = cast(cast(pg_my_temp_schema() as regnamespace) as text)",
    names=Names.EXACT,
    # A view's columns cannot be taken away, and a table cannot be replaced at all.
    replace_table=Replace.SWAP,
    replace_view=Replace.SWAP,
    macros=Macros.DBT,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seed_nulls=TextNulls.BLANK_OR_NULL,
    sized_texts="character varying",
)
