"""DuckDB's bulk paths: it reads and gives Arrow streams itself."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql import sessions
from airflow_dataops.core.sql.bulk import create_bulk_table, insert_from
from airflow_dataops.core.sql.staging import is_of_session
from airflow_dataops.errors import RunError
from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
from airflow_dataops.hooks.bulk.batches import ROWS, Batches
from airflow_dataops.hooks.interruptible import call_interruptibly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation

_VIEW = "dataops_batches"
# The first loses its offset, the second its sign, the third is DuckDB's own layout.
_MISREAD = ("time with time zone", "uhugeint", "bit")
_NESTED = ("list", "array", "struct", "map", "union")

# Megabytes: each thread fills a row group of its own.
_OF_A_THREAD = 80
_LEAST = 160
# Rows of a temporary table are read again at once; up to this they are not put into a file.
_LEAST_STAGED = 512


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query and yield its rows as they are made."""
    native = native_of(session)
    with _bounded(session, native, _LEAST):
        # A relation's rows are made as they are read; those of `execute` are copied first.
        relation = native.sql(sql, params=list(parameters) or None)
        _refuse_misread(relation)
        # DuckDB 2.0 renamed it.
        stream = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
        # Left open, it keeps the database, and DuckDB waits without end to open it again.
        with closing(call_interruptibly(stream, ROWS, stop=native.interrupt)) as reader:
            yield Batches(reader.schema, reader)


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    native = native_of(session)
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "duckdb"))
    native.register(_VIEW, batches.reader())
    try:
        insert = insert_from(staging, batches.schema.names, _VIEW, "duckdb")
        least = _LEAST_STAGED if is_of_session(staging, "duckdb") else _LEAST
        with _bounded(session, native, least):
            call_interruptibly(native.execute, insert, stop=native.interrupt)
    finally:
        native.unregister(_VIEW)


def _refuse_misread(relation: Any) -> None:
    """Refuse columns that DuckDB gives to Arrow as other values than they hold.

    Raises:
        RunError: the message names them.
    """
    found = [
        f"{name!r} is {type_}"
        for name, type_ in zip(relation.columns, relation.types, strict=True)
        if _is_misread(type_)
    ]
    if found:
        raise RunError(
            f"the source's rows cannot be carried: {'; '.join(found)}, which DuckDB gives without "
            "its meaning (cast it to text or to a decimal in the query). Nothing was written."
        )


def _is_misread(type_: Any) -> bool:
    if type_.id in _MISREAD:
        return True
    children = type_.children if type_.id in _NESTED else ()
    return any(_is_misread(child) for _, child in children if not isinstance(child, int))


@contextmanager
def _bounded(session: Any, native: Any, least: int) -> Iterator[None]:
    """Let DuckDB keep little of a file in memory: rows on their way are not needed again.

    Args:
        least: megabytes that it may keep; more where it has many threads.

    By default it keeps what it has read and written, up to four fifths of the machine's memory.
    A `memory_limit` in the connection's `config` stays, and so does a database in memory, which
    has no other place.
    """
    settings = getattr(getattr(session, "hook", None), "settings", None)
    if settings is None or settings.path is None or "memory_limit" in dict(settings.config):
        yield
        return
    # The session itself is busy with the rows; the limit is one of the whole instance.
    with closing(native.cursor()) as other:
        [threads] = other.execute(sessions.threads()).fetchone()
        limit = max(least, _OF_A_THREAD * threads)
        # What other sessions of this process hold may be more.
        with suppress(_duckdb().OutOfMemoryException):
            other.execute(sessions.limit_memory(limit))
        try:
            yield
        finally:
            other.execute(sessions.unlimit_memory())


def _duckdb() -> Any:
    import duckdb

    return duckdb


def native_of(session: Any) -> Any:
    """Return DuckDB's own connection of a session."""
    connection = session.connection
    return getattr(connection, "native", connection)
