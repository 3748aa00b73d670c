"""What differs from one engine to the next, as data: one file per engine.

To add an engine, write `DIALECT` in a file of its name and list it in `DIALECTS`.
"""

from __future__ import annotations

from airflow_dataops.core.sql.dialects.bigquery import BIGQUERY
from airflow_dataops.core.sql.dialects.dialect import (
    Databases,
    Dialect,
    Macros,
    Names,
    Replace,
    SeedRows,
    Strategy,
    TextNulls,
    TypeChange,
)
from airflow_dataops.core.sql.dialects.duckdb import DUCKDB
from airflow_dataops.core.sql.dialects.postgres import POSTGRES
from airflow_dataops.core.sql.dialects.snowflake import SNOWFLAKE
from airflow_dataops.errors import ConfigError

__all__ = [
    "DIALECTS",
    "Databases",
    "Dialect",
    "Macros",
    "Names",
    "Replace",
    "SeedRows",
    "Strategy",
    "TextNulls",
    "TypeChange",
    "get_dialect",
]

DIALECTS = {dialect.name: dialect for dialect in (BIGQUERY, DUCKDB, POSTGRES, SNOWFLAKE)}


def get_dialect(name: str) -> Dialect:
    """Return the dialect of that sqlglot name.

    Raises:
        ConfigError: engine `sql` does not speak it; the message lists what it does speak.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        supported = ", ".join(sorted(DIALECTS))
        raise ConfigError(
            f"engine sql cannot write SQL for {name!r}; it supports: {supported}. "
            "Use a connection of a supported type, or let engine dbt run these nodes."
        ) from None
