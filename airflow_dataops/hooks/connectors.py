"""How engines are reached over Airflow's connections: one connector for each.

To add an engine, see `core/engines`, and list its connector here; another package brings its own
through the entry points `airflow_dataops.connectors`, named by connection types.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.redshift_session import RedshiftSession
from airflow_dataops.hooks.snowflake_session import SnowflakeSession
from airflow_dataops.hooks.sql_session import PostgresSession, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from airflow_dataops.core.sql.tags import Tag

GROUP = "airflow_dataops.connectors"
"""Entry points of other packages: a connection type, and where its `Connector` is."""


class Connector(NamedTuple):
    """One engine's way over Airflow's connections.

    Attributes:
        engine: its name in `core.engines`.
        bulk: the module of its bulk path, with `read` and `fill`; see `hooks.bulk`.
        session: makes a session of a hook, a DB-API connection, the engine's name and a tag.
        hook: makes the hook of a connection, with further arguments; by default the one of the
            connection's type.
        open: makes a session of a hook and a tag, where that is not over DB-API.
    """

    engine: str
    bulk: str
    session: Callable[[Any, Any, str, Tag | None], Any] = Session
    hook: Callable[..., DbApiHook] | None = None
    open: Callable[[Any, Tag | None], Any] | None = None


def _duckdb_hook(connection: Any, **hook_params: Any) -> DbApiHook:
    # Ours, whichever provider claims the type, and without a look at all providers.
    from airflow_dataops.hooks.duckdb import DuckDBHook

    return DuckDBHook(connection.conn_id, connection=connection, **hook_params)


def _bigquery_hook(connection: Any, **hook_params: Any) -> DbApiHook:
    # A Google Cloud connection's own hook is one for no service in particular.
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

    return BigQueryHook(gcp_conn_id=connection.conn_id, use_legacy_sql=False, **hook_params)


def _bigquery_session(hook: Any, tag: Tag | None) -> Any:
    from airflow_dataops.hooks.bigquery_session import BigQuerySession

    client = hook.get_client(project_id=hook.project_id, location=hook.location)
    return BigQuerySession(client, tag, hook.labels)


_BULK = "airflow_dataops.hooks.bulk"
_DUCKDB = Connector("duckdb", f"{_BULK}.duckdb", hook=_duckdb_hook)
_POSTGRES = Connector("postgres", f"{_BULK}.postgres", PostgresSession)
_SNOWFLAKE = Connector("snowflake", f"{_BULK}.snowflake", SnowflakeSession)
_BIGQUERY = Connector("bigquery", f"{_BULK}.bigquery", hook=_bigquery_hook, open=_bigquery_session)
_REDSHIFT = Connector("redshift", f"{_BULK}.redshift", RedshiftSession)
_OWN = {
    "duckdb": _DUCKDB,
    "postgres": _POSTGRES,
    "snowflake": _SNOWFLAKE,
    "redshift": _REDSHIFT,
    "google_cloud_platform": _BIGQUERY,
    "gcpbigquery": _BIGQUERY,
}


def connection_types() -> list[str]:
    """Return the types of Airflow's connections that are known."""
    return sorted({*_OWN, *(each.name for each in entry_points(group=GROUP))})


@cache
def find_connector(connection_type: str) -> Connector | None:
    """Return the connector of a connection type; None where there is none."""
    if connection_type in _OWN:
        return _OWN[connection_type]
    theirs = next(iter(entry_points(group=GROUP, name=connection_type)), None)
    return None if theirs is None else theirs.load()


@cache
def bulk_path(engine: str) -> Any:
    """Return the module of an engine's bulk path.

    Raises:
        ConfigError: there is none; the message lists the engines that have one.
    """
    known = {connector.engine: connector for connector in _OWN.values()}
    for each in entry_points(group=GROUP):
        found: Connector = each.load()
        known.setdefault(found.engine, found)
    if engine not in known:
        raise ConfigError(
            f"rows in bulk are not supported on {engine!r}; use a connection of one of: "
            f"{', '.join(sorted(known))}."
        )
    return import_module(known[engine].bulk)
