"""Rows of a query on another connection."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_dataops.core.engines.statements import text
from airflow_dataops.core.sql.loads import limited
from airflow_dataops.core.sql.queries import bare_query
from airflow_dataops.core.sql.watermarks import Since, since_condition
from airflow_dataops.hooks.arrow_source import ArrowSource
from airflow_dataops.hooks.bulk import engines
from airflow_dataops.hooks.sql_runner import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.hooks.bulk.batches import Batches


@dataclass
class ConnectionQuery(ArrowSource):
    """A query on an Airflow connection, whose rows go to a table on another one.

    They are streamed as Arrow record batches, so memory does not grow with their number.

    Args:
        conn_id: the connection that is read.
        sql: the query. Jinja is rendered.
        parameters: values bound to its placeholders: `%s` on Postgres and Snowflake, `?` on
            DuckDB and BigQuery.
        past: the watermark past which rows are read; a load sets it.
    """

    conn_id: str
    sql: str
    parameters: Sequence[Any] = ()
    past: Since | None = None

    template_fields: ClassVar[Sequence[str]] = ("conn_id", "sql", "parameters")
    template_ext: ClassVar[Sequence[str]] = (".sql",)

    @property
    def origin(self) -> str:
        """See `Named.origin`."""
        return f"{self.conn_id} {self.sql} {list(self.parameters)}"

    def since(self, since: Since) -> ConnectionQuery:
        """See `Source.since`."""
        return replace(self, past=since)

    def _rows(self) -> AbstractContextManager[Batches]:
        return self._read(self._query)

    def _no_rows(self) -> AbstractContextManager[Batches]:
        def query(session: SqlRunner) -> tuple[str, tuple[Any, ...]]:
            sql = limited(bare_query(self.sql, session.dialect), "1 = 0")
            return sql, tuple(self.parameters)

        return self._read(query)

    @contextmanager
    def _read(self, query: Callable[[SqlRunner], tuple[str, tuple[Any, ...]]]) -> Iterator[Batches]:
        with open_session(self.conn_id) as session:
            sql, parameters = query(session)
            with engines.read(session, sql, parameters) as batches:
                yield batches

    def _query(self, session: SqlRunner) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = bare_query(self.sql, session.dialect), tuple(self.parameters)
        if self.past is None:
            return sql, parameters
        condition = since_condition(self.past, session.dialect)
        if condition.parameters and not parameters and session.placeholder == "%s":
            sql = sql.replace("%", "%%")
        sql = limited(sql, text(condition, session.placeholder))
        return sql, parameters + condition.parameters
