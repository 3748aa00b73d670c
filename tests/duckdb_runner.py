"""A `SqlRunner` straight over a DuckDB connection, for tests that need a real engine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class DuckDBRunner:
    """Runs statements on one connection, without Airflow."""

    dialect = "duckdb"
    placeholder = "?"

    def __init__(self, connection: duckdb.DuckDBPyConnection | None = None) -> None:
        self.connection = connection or duckdb.connect()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self.connection.execute(sql, list(parameters)).rowcount

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(parameters)).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()


@contextmanager
def open_duckdb(path: str = ":memory:") -> Iterator[DuckDBRunner]:
    """Open a file (or memory) and close it at the end of the block."""
    runner = DuckDBRunner(duckdb.connect(path))
    try:
        yield runner
    finally:
        runner.close()
