"""DuckDB and MotherDuck."""

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

DUCKDB = Dialect(
    name="duckdb",
    # Qualified by `system`: a database may hold a schema of this name.
    listings=Listings(
        tables="system.information_schema.tables",
        columns="system.information_schema.columns",
        schemata="system.information_schema.schemata",
    ),
    current_database="current_database()",
    temporary="table_catalog = 'temp' and table_schema = 'main'",
    names=Names.FOLDED,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.DUCKDB,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seed_nulls=TextNulls.EMPTY,
)
