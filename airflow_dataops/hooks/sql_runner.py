"""A session with the warehouse over any Airflow connection that has a common-sql hook."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.providers.common.sql.hooks.sql import DbApiHook

# sqlglot's dialect by Airflow's connection type.
DIALECT_OF = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "google_cloud_platform": "bigquery",
    "gcpbigquery": "bigquery",
}
_INTERRUPTERS = ("interrupt", "cancel")  # DuckDB's and psycopg's names for it


class Session:
    """A `SqlRunner` over one DB-API connection; `open_session` makes it."""

    def __init__(self, hook: DbApiHook, connection: Any, dialect: str) -> None:
        self._hook = hook
        self._connection = connection
        self._dialect = dialect
        self._autocommit(True)

    @property
    def dialect(self) -> str:
        """The sqlglot name of the engine's SQL."""
        return self._dialect

    @property
    def placeholder(self) -> str:
        """The mark of a bound value."""
        return str(self._hook.placeholder)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; see `SqlRunner.execute`."""
        with closing(self._connection.cursor()) as cursor:
            _run(cursor, sql, parameters)
            rows = cursor.rowcount
            return int(rows) if rows is not None else -1

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        with closing(self._connection.cursor()) as cursor:
            _run(cursor, sql, parameters)
            return [tuple(row) for row in cursor.fetchall()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; see `SqlRunner.transaction`."""
        self._autocommit(False)
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        else:
            self._connection.commit()
        finally:
            self._autocommit(True)

    def interrupt(self) -> None:
        """Stop the statement that is running, from a signal handler or another thread."""
        for name in _INTERRUPTERS:
            if (stop := getattr(self._connection, name, None)) is not None:
                stop()
                return

    def close(self) -> None:
        """End the session; what a transaction left unfinished is rolled back."""
        self._connection.close()

    def _autocommit(self, on: bool) -> None:
        self._hook.set_autocommit(self._connection, on)


@contextmanager
def open_session(conn_id: str, **hook_params: Any) -> Iterator[Session]:
    """Open a session on an Airflow connection; close it at the end of the block.

    What a transaction left unfinished is rolled back.

    Args:
        conn_id: the Airflow connection.
        hook_params: arguments of its hook, such as `schema` or `gcp_conn_id`.

    Raises:
        ConfigError: the connection's type is not one that engine `sql` supports.
        RetryableError: a DuckDB file was not free in time.
    """
    hook, dialect = get_sql_hook(conn_id, **hook_params)
    with closing(hook.get_conn()) as connection:
        yield Session(hook, connection, dialect)


def get_sql_hook(conn_id: str, **hook_params: Any) -> tuple[DbApiHook, str]:
    """Return the hook of an Airflow connection and the sqlglot name of its SQL.

    Raises:
        ConfigError: the connection's type is not one that engine `sql` supports.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.sdk import BaseHook

    connection = BaseHook.get_connection(conn_id)
    dialect = DIALECT_OF.get(connection.conn_type or "")
    if dialect is None:
        raise ConfigError(
            f"connection {conn_id!r} is of type {connection.conn_type!r}; "
            f"engine sql runs on {', '.join(sorted(DIALECT_OF))}."
        )
    if dialect == "duckdb":
        # Ours, whichever provider claims the type, and without a look at all providers.
        from airflow_dataops.hooks.duckdb import DuckDBHook

        return DuckDBHook(conn_id, connection=connection, **hook_params), dialect
    hook = connection.get_hook(hook_params=hook_params)
    if not isinstance(hook, DbApiHook):
        raise ConfigError(f"connection {conn_id!r}: {type(hook).__name__} does not run SQL.")
    return hook, dialect


def _run(cursor: Any, sql: str, parameters: Sequence[Any]) -> None:
    # Without values the text is not scanned for placeholders: a literal % stays what it is.
    if parameters:
        cursor.execute(sql, list(parameters))
    else:
        cursor.execute(sql)
