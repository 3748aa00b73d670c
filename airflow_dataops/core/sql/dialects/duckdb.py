"""DuckDB and MotherDuck."""

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

DUCKDB = Dialect(
    name="duckdb",
    databases=Databases.OF_SESSION,
    # Qualified by `system`: a database may hold a schema of this name.
    schemata=lambda _: "system.information_schema.schemata",
    current_database="current_database()",
    names=Names.FOLDED,
    replace_table=Replace.STATEMENT,
    replace_view=Replace.STATEMENT,
    macros=Macros.DUCKDB,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
    seeds=Seeds(nulls=TextNulls.EMPTY),
)
