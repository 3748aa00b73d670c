"""The engines that loads run on.

To add one, write its `Loading` in `loading_<engine>.py` and list it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects.loading_bigquery import BIGQUERY
from airflow_dataops.core.sql.dialects.loading_duckdb import DUCKDB
from airflow_dataops.core.sql.dialects.loading_postgres import POSTGRES
from airflow_dataops.core.sql.dialects.loading_snowflake import SNOWFLAKE
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.sql.dialects.loading import Loading

LOADINGS = {loading.name: loading for loading in (BIGQUERY, DUCKDB, POSTGRES, SNOWFLAKE)}


def get_loading(name: str) -> Loading:
    """Return an engine's ways of loading by its sqlglot name.

    Raises:
        ConfigError: loads do not run there; the message lists where they do.
    """
    try:
        return LOADINGS[name]
    except KeyError:
        supported = ", ".join(sorted(LOADINGS))
        raise ConfigError(
            f"loads do not run on {name!r}; use a connection of one of: {supported}."
        ) from None
