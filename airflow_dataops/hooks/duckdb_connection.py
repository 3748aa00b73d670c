"""A DB-API connection over DuckDB whose cursors share one transaction.

DuckDB's own `cursor()` opens a second connection, outside of the first one's transaction.
Airflow's common-sql takes PEP 249 by its word: it runs statements on cursors and commits or
rolls back on the connection.
"""

from __future__ import annotations

import re
import weakref
from typing import TYPE_CHECKING, Any

from airflow_dataops.hooks.interruptible import call_interruptibly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import duckdb

    Parameters = Sequence[Any] | Mapping[str, Any]

# What was passed over is not tried in another way: `/**//**/...` would take for ever.
_OPENS_TRANSACTION = re.compile(
    r"(?>\s+|--[^\n]*\n|/\*.*?\*/)*+(?:begin|start)\b", re.IGNORECASE | re.DOTALL
)


class DuckDBConnection:
    """One session. With `autocommit` off, the first statement opens a transaction.

    Args:
        native: the DuckDB connection; no one else may use it.
        on_close: called once, when the session is closed or forgotten.
    """

    def __init__(
        self, native: duckdb.DuckDBPyConnection, on_close: Callable[[], None] = lambda: None
    ) -> None:
        self.native = native
        self.autocommit = False
        self._in_transaction = False
        self._active: weakref.ref[DuckDBCursor] | None = None
        self._closer = weakref.finalize(self, on_close)
        # At exit the process gives up its locks anyway, and a forked child must not.
        self._closer.atexit = False  # type: ignore[misc]

    def cursor(self) -> DuckDBCursor:
        """Return a new cursor in the same transaction."""
        return DuckDBCursor(self)

    def commit(self) -> None:
        """Make the transaction's changes durable; nothing happens without a transaction."""
        if self._in_transaction:
            self._in_transaction = False  # a commit that fails ends the transaction too
            self.native.commit()

    def rollback(self) -> None:
        """Undo the transaction's changes; nothing happens without a transaction."""
        if self._in_transaction:
            self._in_transaction = False
            self.native.rollback()

    def close(self) -> None:
        """Roll back what is not committed and end the session. May be called again."""
        if not self._closer.alive:
            return
        try:
            self.rollback()
        finally:
            try:
                self.native.close()
            finally:
                self._closer()

    def interrupt(self) -> None:
        """Stop the statement that is running; it raises in its own thread."""
        self.native.interrupt()

    def run(self, cursor: DuckDBCursor, sql: str, parameters: Parameters | None) -> int | None:
        """Run SQL for a cursor.

        Returns:
            The rows that its last statement changed, -1 where it changes none; None where it
            returns rows, to be fetched.
        """
        statements = self._prepare(cursor, sql)
        call_interruptibly(self.native.execute, sql, parameters, stop=self.interrupt)
        if not statements:
            return -1  # nothing but comments
        if self._returns_rows(statements[-1]):
            return None
        changed = self.native.fetchone()  # DuckDB before 2.0 has no rowcount
        return changed[0] if changed and type(changed[0]) is int else -1

    def run_many(self, cursor: DuckDBCursor, sql: str, rows: Sequence[Parameters]) -> None:
        """Run SQL once for each row of values."""
        self._prepare(cursor, sql)
        call_interruptibly(self.native.executemany, sql, rows, stop=self.interrupt)

    def _prepare(self, cursor: DuckDBCursor, sql: str) -> list[duckdb.Statement]:
        import duckdb

        self._keep_results()
        self._active = weakref.ref(cursor)
        statements = self.native.extract_statements(sql)
        marks = [s.query for s in statements if s.type == duckdb.StatementType.TRANSACTION]
        by_hand = bool(marks) and statements[0].type == duckdb.StatementType.TRANSACTION
        if not (self.autocommit or self._in_transaction or by_hand):
            self.native.begin()
            self._in_transaction = True
        if marks:
            self._in_transaction = _OPENS_TRANSACTION.match(marks[-1]) is not None
        return statements

    def _keep_results(self) -> None:
        # DuckDB holds one open result per connection; take it before it goes.
        cursor = self._active() if self._active is not None else None
        if cursor is not None:
            cursor.keep_results()
        self._active = None

    def _returns_rows(self, statement: duckdb.Statement) -> bool:
        import duckdb

        results = duckdb.ExpectedResultType
        expected = statement.expected_result_type
        if expected == [results.QUERY_RESULT]:
            return True
        # What changes rows returns their number under this name, unless it has a RETURNING.
        names = [column[0] for column in self.native.description or ()]
        return results.QUERY_RESULT in expected and names != ["Count"]


class DuckDBCursor:
    """A PEP 249 cursor. `connection` is the session it belongs to."""

    arraysize = 1

    def __init__(self, connection: DuckDBConnection) -> None:
        self.connection = connection
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._kept: Iterator[tuple[Any, ...]] | None = None
        self._open = False

    def execute(self, sql: str, parameters: Parameters | None = None) -> DuckDBCursor:
        """Run SQL; several statements give the result of the last one."""
        self._reset()
        changed = self.connection.run(self, sql, parameters)
        if changed is None:
            self._open, self.description = True, self.connection.native.description
        else:
            self.rowcount = changed
        return self

    def executemany(self, sql: str, rows: Sequence[Parameters]) -> DuckDBCursor:
        """Run SQL once for each row of values."""
        self._reset()
        self.connection.run_many(self, sql, rows)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None after the last one."""
        if self._kept is not None:
            return next(self._kept, None)
        return self.connection.native.fetchone() if self._open else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next rows, at most `size`."""
        wanted = self.arraysize if size is None else size
        if self._kept is None:
            return self.connection.native.fetchmany(wanted) if self._open else []
        rows = (next(self._kept, None) for _ in range(wanted))
        return [row for row in rows if row is not None]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        if self._kept is not None:
            return list(self._kept)
        return self.connection.native.fetchall() if self._open else []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def keep_results(self) -> None:
        """Read the rows that are left, because the session is about to run something else."""
        if self._open and self._kept is None:
            self._kept = iter(self.connection.native.fetchall())

    def setinputsizes(self, sizes: Any) -> None:
        """Do nothing; PEP 249 asks for it."""

    def setoutputsize(self, size: Any, column: Any = None) -> None:
        """Do nothing; PEP 249 asks for it."""

    def close(self) -> None:
        """Forget the result. The session stays open."""
        self._reset()

    def _reset(self) -> None:
        self.description, self.rowcount = None, -1
        self._kept, self._open = None, False
