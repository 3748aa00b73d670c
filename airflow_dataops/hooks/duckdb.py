"""The DuckDB hook: connection type `duckdb`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.exceptions import AirflowOptionalProviderFeatureException
from airflow.providers.common.sql.hooks.sql import DbApiHook

from airflow_dataops.errors import ConfigError, DataOpsError, MissingExtraError
from airflow_dataops.hooks.duckdb_connection import DuckDBConnection
from airflow_dataops.hooks.duckdb_settings import DuckDBSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from sqlalchemy.engine import URL

    from airflow_dataops.hooks.duckdb_file import DuckDBFile


class DuckDBHook(DbApiHook):
    """Talks to a DuckDB file, to DuckDB in memory or to MotherDuck.

    The connection's host is the path of the file; see `duckdb_settings` for all that it may
    be. Tasks that use one file queue for it: each waits its turn, at most `lock_timeout`
    seconds. A database in memory lives as long as the hook.

    The connection's extra, a JSON object:

    - `database`: attach the file under this name, so that `name.schema.table` finds it.
    - `config`: DuckDB settings, such as `{"threads": 2, "memory_limit": "1GB"}`.
    - `lock_timeout`: greatest wait for the file, seconds; 600 unless set.
    - `read_only`: true for sessions that only read; they run side by side.
    - `motherduck_token`: MotherDuck's token; the password serves as well.
    """

    conn_name_attr = "duckdb_conn_id"
    default_conn_name = "duckdb_default"
    conn_type = "duckdb"
    hook_name = "DuckDB"
    supports_autocommit = True
    supports_executemany = True
    _placeholder = "?"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._memory: duckdb.DuckDBPyConnection | None = None

    @cached_property
    def settings(self) -> DuckDBSettings:
        """What the connection says, checked.

        Raises:
            ConfigError: an extra has a value of the wrong kind.
        """
        settings = read_settings(self.connection)
        if settings.unknown_extras:
            self.log.warning(
                "Connection %s: extra %s means nothing to DuckDB. It knows %s.",
                self.get_conn_id(),
                ", ".join(settings.unknown_extras),
                "config, database, lock_timeout, motherduck_token, read_only",
            )
        if settings.token is not None:
            _mask(settings.token)
        return settings

    def get_conn(self) -> DuckDBConnection:
        """Open a session; close it, or other tasks wait.

        Raises:
            ConfigError: the connection is wrong, or the file's folder is missing.
            MissingExtraError: DuckDB is not installed.
            RetryableError: the file was not free in time.
        """
        if (file := self._file()) is not None:
            return DuckDBConnection(*file.connect(self.settings))
        if self.settings.is_motherduck:
            return DuckDBConnection(self._connect_motherduck())
        return DuckDBConnection(self._connect_memory())

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the file's place in the queue while another program uses the file.

        Within the block no task opens the file through this hook. It opens nothing itself, so
        a program started in it (dbt, the DuckDB shell) can. Does nothing without a file.

        Raises:
            ConfigError: this thread has a session open.
            RetryableError: the file was not free in time.
        """
        file = self._file()
        if file is None:
            yield
            return
        with file.exclusive(self.settings):
            yield

    def test_connection(self) -> tuple[bool, str]:  # type: ignore[override]
        """Tell whether the database opens, for the Test button."""
        try:
            path = self.settings.path
            if path is not None and path.parent.is_dir() and not path.exists():
                return True, f"{path} does not exist yet; the first task that writes makes it."
            with closing(self.get_conn()) as connection:
                connection.cursor().execute(self._test_connection_sql)
        except DataOpsError as error:
            return False, str(error)
        except _engine_error() as error:
            return False, str(error)
        return True, "Connection successfully tested"

    @property
    def sqlalchemy_url(self) -> URL:
        """The URL for `duckdb-engine`, without the token."""
        from sqlalchemy.engine import URL

        return URL.create("duckdb", database=self.settings.target)

    def get_uri(self) -> str:
        """Return the SQLAlchemy URL as text."""
        return self.sqlalchemy_url.render_as_string(hide_password=False)

    @cached_property
    def dialect_name(self) -> str:
        """Return `duckdb`."""
        return "duckdb"

    @property
    def replace_statement_format(self) -> str:
        """Return how `insert_rows(replace=True)` writes a row over another."""
        default = "INSERT OR REPLACE INTO {} {} VALUES ({})"
        return str(self.connection_extra.get("replace_statement_format", default))

    @staticmethod
    def _serialize_cell(cell: Any, conn: Any = None) -> Any:
        # DuckDB binds Python's own types.
        return cell

    def _get_polars_df(self, sql: Any, parameters: Any = None, **kwargs: Any) -> Any:
        # common-sql's own leaves a list of parameters out.
        try:
            polars = import_module("polars")
        except ImportError as error:
            raise AirflowOptionalProviderFeatureException(
                "polars is not installed: pip install 'apache-airflow-providers-common-sql[polars]'"
            ) from error
        options = {"parameters": parameters} if parameters is not None else None
        with closing(self.get_conn()) as connection:
            return polars.read_database(sql, connection, execute_options=options, **kwargs)

    def _file(self) -> DuckDBFile | None:
        path = self.settings.path
        if path is None:
            return None
        _require_duckdb()
        from airflow_dataops.hooks.duckdb_file import duckdb_file

        return duckdb_file(path)

    def _connect_memory(self) -> duckdb.DuckDBPyConnection:
        _require_duckdb()
        from airflow_dataops.core.sql import sessions
        from airflow_dataops.hooks.duckdb_opening import open_instance

        if self._memory is None:
            self._memory = open_instance(self.settings)
        session = self._memory.cursor()
        if self.settings.database is not None:
            session.execute(sessions.use(self.settings.database))
        return session

    def _connect_motherduck(self) -> duckdb.DuckDBPyConnection:
        _require_duckdb()
        import duckdb

        token = self.settings.token
        config = dict(self.settings.config)
        if token is not None:
            config["motherduck_token"] = token
        try:
            return duckdb.connect(self.settings.target, config=config)
        except duckdb.Error as error:
            text = str(error) if token is None else str(error).replace(token, "***")
            raise ConfigError(
                f"connection {self.get_conn_id()!r}: MotherDuck did not open: {text}"
            ) from None


def _require_duckdb() -> None:
    try:
        import duckdb
        import filelock
        import tenacity
    except ImportError as error:
        raise MissingExtraError("A DuckDB connection", "duckdb") from error
    del duckdb, filelock, tenacity


def _engine_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _mask(secret: str) -> None:
    from airflow.sdk.log import mask_secret

    mask_secret(secret)
