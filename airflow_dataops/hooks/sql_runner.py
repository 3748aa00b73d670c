"""A session with the warehouse over any Airflow connection that has a common-sql hook."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_dataops.core.sql import sessions
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.connectors import connection_types, find_connector
from airflow_dataops.hooks.tags import current_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from airflow_dataops.core.sql.tags import Tag
    from airflow_dataops.hooks.bigquery_session import BigQuerySession
    from airflow_dataops.hooks.connectors import Connector
    from airflow_dataops.hooks.sql_session import Session

    WarehouseSession: TypeAlias = Session | BigQuerySession

_WHERE = "the argument conn_id= of load_dags, dbt_dag, dbt_task_group, the operator or the source"


@contextmanager
def open_session(
    conn_id: str,
    *,
    tag: Tag | None = None,
    settings: Mapping[str, Any] | None = None,
    **hook_params: Any,
) -> Iterator[WarehouseSession]:
    """Open a session on an Airflow connection; close it at the end of the block.

    What a transaction left unfinished is rolled back.

    Args:
        conn_id: the Airflow connection.
        tag: who runs the statements; the task that this process runs by default.
        settings: what a dbt profile sets for it; see `SessionSql` of `core/engines`.
        hook_params: arguments of its hook, such as `schema` or `gcp_conn_id`.

    Raises:
        ConfigError: the connection's type is not one that engine `sql` supports.
        RetryableError: a DuckDB file was not free in time.
    """
    hook, connector = find_hook(conn_id, **hook_params)
    with closing(connect(hook, connector, tag or current_tag(), settings)) as session:
        yield session


def connect(
    hook: DbApiHook,
    connector: Connector,
    tag: Tag | None = None,
    settings: Mapping[str, Any] | None = None,
) -> WarehouseSession:
    """Return a new session of a hook that `find_hook` gave; the caller closes it."""
    if connector.open is not None:
        opened: WarehouseSession = connector.open(hook, tag)
        _give(opened, connector.engine, settings)
        return opened
    connection = hook.get_conn()
    try:
        session: WarehouseSession = connector.session(hook, connection, connector.engine, tag)
        _give(session, connector.engine, settings)
    except BaseException:
        connection.close()
        raise
    return session


def _give(session: Any, engine: str, settings: Mapping[str, Any] | None) -> None:
    """Set what a profile sets, by statements; where there are none, the session minds it."""
    if not settings:
        return
    statements = sessions.settings(settings, engine)
    for statement in statements:
        session.execute(statement)
    if not statements:
        session.bound_by(settings)


def get_sql_hook(conn_id: str, **hook_params: Any) -> tuple[DbApiHook, str]:
    """Return the hook of an Airflow connection and the sqlglot name of its SQL.

    Raises:
        ConfigError: see `find_hook`.
    """
    hook, connector = find_hook(conn_id, **hook_params)
    return hook, connector.engine


def find_hook(conn_id: str, **hook_params: Any) -> tuple[DbApiHook, Connector]:
    """Return the hook of an Airflow connection, and how its engine is reached.

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
    connector = find_connector(connection.conn_type or "")
    if connector is None:
        raise ConfigError(
            f"connection {conn_id!r} is of type {connection.conn_type!r}; engine sql runs on "
            f"{', '.join(connection_types())}. Mend the connection, or {_WHERE}."
        )
    if connector.hook is not None:
        return connector.hook(connection, **hook_params), connector
    hook = connection.get_hook(hook_params=hook_params)
    if not isinstance(hook, DbApiHook):
        raise ConfigError(
            f"connection {conn_id!r}: {type(hook).__name__} does not run SQL. Mend the "
            f"connection, or {_WHERE}."
        )
    return hook, connector
