"""Sessions over DB-API connections; one class for each way of an engine."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql import sessions, tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from airflow_dataops.core.sql.tags import Tag


class Session:
    """A `SqlRunner` over one DB-API connection; `open_session` makes it.

    Each statement begins with a comment that says which task runs it.

    When something other than an error of the engine ends a statement (a timeout, a signal),
    the statement is stopped on the server and the session is over.
    """

    def __init__(
        self, hook: DbApiHook, connection: Any, dialect: str, tag: Tag | None = None
    ) -> None:
        self._hook = hook
        self._connection = connection
        self._dialect = dialect
        self._comment = "" if tag is None else f"{tags.comment(tag)}\n"
        self._over = False
        self._begin_tagged(tag)

    @property
    def dialect(self) -> str:
        """The sqlglot name of the engine's SQL."""
        return self._dialect

    @property
    def placeholder(self) -> str:
        """The mark of a bound value."""
        return str(self._hook.placeholder)

    @property
    def hook(self) -> DbApiHook:
        """The hook of the connection."""
        return self._hook

    @property
    def connection(self) -> Any:
        """The driver's connection, for what no `SqlRunner` does: bulk paths."""
        return self._connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; see `SqlRunner.execute`."""
        with closing(self._connection.cursor()) as cursor:
            self._run(cursor, sql, parameters)
            rows = cursor.rowcount
            return int(rows) if rows is not None else -1

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        with closing(self._connection.cursor()) as cursor:
            self._run(cursor, sql, parameters)
            return [tuple(row) for row in cursor.fetchall()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction; see `SqlRunner.transaction`."""
        self._begin()
        try:
            yield
        except BaseException:
            if not self._over:
                self._rollback()
            raise
        self._commit()

    def interrupt(self) -> None:
        """Stop the statement that is running, from a signal handler or another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """End the session; what a transaction left unfinished is rolled back."""
        self._connection.close()

    def _begin_tagged(self, tag: Tag | None) -> None:
        """Prepare a new session."""
        del tag
        self._autocommit(True)

    def _begin(self) -> None:
        self._autocommit(False)

    def _commit(self) -> None:
        try:
            self._connection.commit()
        finally:
            self._autocommit(True)

    def _rollback(self) -> None:
        self._connection.rollback()
        self._autocommit(True)

    def _autocommit(self, on: bool) -> None:
        self._hook.set_autocommit(self._connection, on)

    def _run(self, cursor: Any, sql: str, parameters: Sequence[Any]) -> None:
        try:
            # Without values the text is not scanned for placeholders: a literal % stays one.
            if not parameters:
                cursor.execute(f"{self._comment}{sql}")
            else:
                marked = self.placeholder == "%s"
                comment = self._comment.replace("%", "%%") if marked else self._comment
                cursor.execute(f"{comment}{sql}", list(parameters))
        except Exception:
            raise
        except BaseException:  # a timeout or a signal: the statement would go on without us
            self._stop_for_good()
            raise

    def _stop_for_good(self) -> None:
        """Stop what an exit, a signal or a timeout has left running on the server."""


class PostgresSession(Session):
    """A session over psycopg 3."""

    def interrupt(self) -> None:
        """Ask the server to cancel the statement that is running."""
        self._connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def _begin_tagged(self, tag: Tag | None) -> None:
        super()._begin_tagged(tag)
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sessions.bound_waits(_LOCK_SECONDS))
            if tag is not None:
                name = tags.application_name(tag)
                cursor.execute("select set_config('application_name', %s, false)", [name])

    def _stop_for_good(self) -> None:
        # psycopg does this itself for KeyboardInterrupt alone.
        self._over = True
        if not self._connection.closed:
            self.interrupt()
            self._connection.close()


_CANCEL_SECONDS = 10.0
_LOCK_SECONDS = 600
"""No statement waits longer for a lock, where neither connection nor server say how long."""
