"""DuckDB's bulk paths: it reads and gives Arrow streams itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql.bulk import create_bulk_table, insert_from
from airflow_dataops.hooks.bulk.batches import ROWS, Batches
from airflow_dataops.hooks.bulk.carried import bulk_columns
from airflow_dataops.hooks.interruptible import call_interruptibly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation

_VIEW = "dataops_batches"


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query and yield its rows as they are made."""
    native = native_of(session)
    # A relation's rows are made as they are read; those of `execute` are copied first.
    relation = native.sql(sql, params=list(parameters) or None)
    # DuckDB 2.0 renamed it.
    stream = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
    reader = call_interruptibly(stream, ROWS, stop=native.interrupt)
    yield Batches(reader.schema, reader)


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    native = native_of(session)
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "duckdb"))
    native.register(_VIEW, batches.reader())
    try:
        insert = insert_from(staging, batches.schema.names, _VIEW, "duckdb")
        call_interruptibly(native.execute, insert, stop=native.interrupt)
    finally:
        native.unregister(_VIEW)


def native_of(session: Any) -> Any:
    """Return DuckDB's own connection of a session."""
    connection = session.connection
    return getattr(connection, "native", connection)
