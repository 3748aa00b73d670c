"""DuckDB and MotherDuck."""

from __future__ import annotations

from airflow_dataops.core.sql.dialects.dialect import Dialect, Replace, Strategy

DUCKDB = Dialect(
    name="duckdb",
    # Qualified by `system`: a database may hold a schema of this name.
    information_schema="system.information_schema",
    current_database="current_database()",
    temporary=("temp", "main"),
    replace_table=Replace.STATEMENT,
    default_strategy=Strategy.DELETE_INSERT,
    strategies=(Strategy.APPEND, Strategy.DELETE_INSERT, Strategy.MERGE),
)
