"""A session with Amazon Redshift, over redshift_connector."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql import tags
from airflow_dataops.hooks.sql_session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.sql.tags import Tag


class RedshiftSession(Session):
    """A session over redshift_connector.

    Values are marked by `?`: of `%s` the driver would leave `%%` in a text as it is.
    """

    @property
    def placeholder(self) -> str:
        """The mark of a bound value."""
        return "?"

    def interrupt(self) -> None:
        """Cancel what the session runs, over a session of its own."""
        with closing(self._hook.get_conn()) as other, closing(other.cursor()) as cursor:
            cursor.execute(f"select pg_cancel_backend({self._process:d})")

    def run(self, cursor: Any, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement on a cursor of the caller's."""
        self._run(cursor, sql, parameters)

    def _begin_tagged(self, tag: Tag | None) -> None:
        super()._begin_tagged(tag)
        [(self._process,)] = self.fetch("select pg_backend_pid()")
        if tag is not None:
            name = tags.application_name(tag)
            self.fetch("select set_config('application_name', ?, false)", [name])

    def _run(self, cursor: Any, sql: str, parameters: Sequence[Any]) -> None:
        cursor.paramstyle = "qmark"
        with _stated():
            super()._run(cursor, sql, parameters)

    def _commit(self) -> None:
        with _stated():
            super()._commit()

    def _stop_for_good(self) -> None:
        self._over = True
        self.interrupt()
        self._connection.close()


@contextmanager
def _stated() -> Iterator[None]:
    """Give an error of the server its SQLSTATE: the driver raises the fields of the message."""
    try:
        yield
    except Exception as error:
        fields = error.args[0] if error.args else None
        if isinstance(fields, dict) and "C" in fields:
            told: Any = error
            told.sqlstate = fields["C"]
        raise
