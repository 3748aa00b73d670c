"""A session with the warehouse over any Airflow connection that has a common-sql hook."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.snowflake_session import SnowflakeSession
from airflow_dataops.hooks.sql_session import PostgresSession, Session
from airflow_dataops.hooks.tags import current_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from airflow_dataops.core.sql.tags import Tag
    from airflow_dataops.hooks.bigquery_session import BigQuerySession

    WarehouseSession: TypeAlias = Session | BigQuerySession

# sqlglot's dialect by Airflow's connection type.
DIALECT_OF = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "google_cloud_platform": "bigquery",
    "gcpbigquery": "bigquery",
}
_WHERE = "the argument conn_id= of load_dags, dbt_dag, dbt_task_group, the operator or the source"
_SESSIONS = {"postgres": PostgresSession, "snowflake": SnowflakeSession}


@contextmanager
def open_session(
    conn_id: str, *, tag: Tag | None = None, **hook_params: Any
) -> Iterator[WarehouseSession]:
    """Open a session on an Airflow connection; close it at the end of the block.

    What a transaction left unfinished is rolled back.

    Args:
        conn_id: the Airflow connection.
        tag: who runs the statements; the task that this process runs by default.
        hook_params: arguments of its hook, such as `schema` or `gcp_conn_id`.

    Raises:
        ConfigError: the connection's type is not one that engine `sql` supports.
        RetryableError: a DuckDB file was not free in time.
    """
    hook, dialect = get_sql_hook(conn_id, **hook_params)
    with closing(connect(hook, dialect, tag or current_tag())) as session:
        yield session


def connect(hook: DbApiHook, dialect: str, tag: Tag | None = None) -> WarehouseSession:
    """Return a new session of a hook that `get_sql_hook` gave; the caller closes it."""
    if dialect == "bigquery":
        return _connect_bigquery(hook, tag)
    connection = hook.get_conn()
    try:
        return _SESSIONS.get(dialect, Session)(hook, connection, dialect, tag)
    except BaseException:
        connection.close()
        raise


def _connect_bigquery(hook: Any, tag: Tag | None) -> BigQuerySession:
    from airflow_dataops.hooks.bigquery_session import BigQuerySession

    client = hook.get_client(project_id=hook.project_id, location=hook.location)
    return BigQuerySession(client, tag, hook.labels)


def get_sql_hook(conn_id: str, **hook_params: Any) -> tuple[DbApiHook, str]:
    """Return the hook of an Airflow connection and the sqlglot name of its SQL.

    Raises:
        ConfigError: there is no such connection, or its type is not one that engine `sql`
            supports.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigError(
            f"there is no connection {conn_id!r}. Add it (Admin > Connections, or the variable "
            f"AIRFLOW_CONN_{conn_id.upper()}), or mend {_WHERE}."
        ) from None
    dialect = DIALECT_OF.get(connection.conn_type or "")
    if dialect is None:
        raise ConfigError(
            f"connection {conn_id!r} is of type {connection.conn_type!r}; "
            f"engine sql runs on {', '.join(sorted(DIALECT_OF))}. Mend the connection, or {_WHERE}."
        )
    if dialect == "duckdb":
        # Ours, whichever provider claims the type, and without a look at all providers.
        from airflow_dataops.hooks.duckdb import DuckDBHook

        return DuckDBHook(conn_id, connection=connection, **hook_params), dialect
    if dialect == "bigquery":
        # A Google Cloud connection's own hook is one for no service in particular.
        from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

        return BigQueryHook(gcp_conn_id=conn_id, use_legacy_sql=False, **hook_params), dialect
    hook = connection.get_hook(hook_params=hook_params)
    if not isinstance(hook, DbApiHook):
        raise ConfigError(
            f"connection {conn_id!r}: {type(hook).__name__} does not run SQL. Mend the "
            f"connection, or {_WHERE}."
        )
    return hook, dialect
