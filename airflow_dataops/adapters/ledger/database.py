"""One database, opened once per process: SQLite in WAL mode or Postgres."""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

_PRIVATE = 0o600
_BUSY_MS = 5_000
_CONNECT_SECONDS = 5
"""A callback of a task may be waiting."""
_POSTGRES = {"postgres": "postgresql", "postgresql": "postgresql"}


class Database:
    """A ledger's database. A forked child opens connections of its own.

    Args:
        url: `sqlite:////path/ledger.db` or `postgresql://login:password@host/database`.

    Raises:
        ConfigError: the URL is neither.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self._engine: Engine | None = None
        self._pid = 0

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @property
    def engine(self) -> Engine:
        """The engine of this process; a parent's connections are left alone."""
        if self._engine is None or self._pid != os.getpid():
            if self._engine is not None:
                self._engine.dispose(close=False)
            self._engine, self._pid = _make_engine(self.url), os.getpid()
        return self._engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that may write; commit at the end of the block."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads; on SQLite it waits for no writer."""
        with self.engine.connect() as connection:
            yield connection.execution_options(dataops_read=True)

    def close(self) -> None:
        """Close what is open."""
        if self._engine is not None and self._pid == os.getpid():
            self._engine.dispose()
        self._engine = None

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)})"


def default_url() -> str:
    """Return the URL of the file beside Airflow's home."""
    home = Path(os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow").expanduser()
    return f"sqlite:///{(home / 'dataops' / 'ledger.db').absolute()}"


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(
            "[dataops] ledger is no database URL; write postgresql://host/database, "
            "sqlite:////path/ledger.db or conn:my_connection."
        ) from None
    kind = url.get_backend_name()
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("[dataops] ledger: SQLite needs a file: sqlite:////path/ledger.db.")
        return url
    if kind not in _POSTGRES:
        raise ConfigError(f"[dataops] ledger: {kind} is not supported; take SQLite or Postgres.")
    return url if "+" in url.drivername else url.set(drivername=_postgres_driver())


def _postgres_driver() -> str:
    from importlib.util import find_spec

    return "postgresql+psycopg" if find_spec("psycopg") else "postgresql+psycopg2"


def _make_engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        return _postgres(url)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError(
            f"[dataops] ledger: the driver of {url.drivername} is not installed ({error}); "
            "pip install 'airflow-dataops[postgres]'."
        ) from None


def _postgres(url: URL) -> Engine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args=patience,
    )


def _make_private(file: Path) -> None:
    """Let nobody else read the ledger, unless somebody shared it with a group on purpose.

    SQLite gives the files beside it the same mode.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_NONBLOCK, _PRIVATE))
        if file.stat().st_mode & 0o007:
            file.chmod(_PRIVATE)


def _sqlite(url: URL) -> Engine:
    file = Path(str(url.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    _make_private(file)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=-1,
        connect_args={"timeout": _BUSY_MS / 1000, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # WAL stays in the file, so setting it again costs nothing.
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Who only asks for a lock when writing may find the database changed since it read.
        reads = connection.get_execution_options().get("dataops_read")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
