"""Postgres's bulk paths: ADBC streams a query's rows; COPY takes them in the session's own table.

COPY goes over the connection of the load, so that the staging table is a temporary one, which
writes no log, is nobody else's, and goes with the session however that ends.
"""

from __future__ import annotations

import io
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from airflow_dataops.core.sql.bulk import copy_from_client, create_bulk_table
from airflow_dataops.errors import MissingExtraError, RetryableError, RunError
from airflow_dataops.hooks.bulk.batches import Batches, ahead
from airflow_dataops.hooks.bulk.carried import bulk_columns
from airflow_dataops.hooks.interruptible import call_interruptibly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation

_BATCH_BYTES = str(4 * 1024**2)
_OPTIONS = pyarrow.csv.WriteOptions(include_header=False)
_ENDED = ("57P01", "57P02", "57P03", "08")


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query on a connection of its own, like the session's; yield rows as they arrive."""
    dbapi = _adbc()
    text = _bound(session.connection, sql, parameters)
    with told():
        opened = dbapi.connect(_address(session.connection))
    with closing(opened) as connection, closing(connection.cursor()) as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": _BATCH_BYTES})
        with told():
            call_interruptibly(cursor.execute, text, stop=cursor.adbc_cancel)
        reader = cursor.fetch_record_batch()
        yield Batches(reader.schema, _told(reader))


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "postgres"))
    statement = copy_from_client(staging, batches.schema.names, "postgres")
    with closing(session.connection.cursor()) as cursor, cursor.copy(statement) as copy:
        for block in ahead(batches, _csv):
            copy.write(block)


def _csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as CSV in which texts are quoted and NULL is nothing."""
    kept = [_hex(c) if pa.types.is_binary(c.type) else c for c in batch.columns]
    sink = io.BytesIO()
    pyarrow.csv.write_csv(pa.record_batch(kept, names=batch.schema.names), sink, _OPTIONS)
    return sink.getvalue()


def _hex(column: pa.Array) -> pa.Array:
    values = column.to_pylist()
    return pa.array([None if v is None else f"\\x{v.hex()}" for v in values], pa.string())


def _bound(connection: Any, sql: str, parameters: Sequence[Any]) -> str:
    """Return a query with its values in it, quoted by psycopg: COPY binds none."""
    if not parameters:
        return sql
    import psycopg

    return psycopg.ClientCursor(connection).mogrify(sql, list(parameters))


def _address(connection: Any) -> str:
    """Return where a psycopg connection goes, its password included."""
    import psycopg

    info = connection.info
    known = {"password": info.password} if info.password else {}
    return psycopg.conninfo.make_conninfo(info.dsn, **known)


def _adbc() -> Any:
    try:
        import adbc_driver_postgresql.dbapi
    except ImportError as error:
        raise MissingExtraError("A query on Postgres as a source", "transfer") from error
    return adbc_driver_postgresql.dbapi


def _told(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with told():
        yield from reader


@contextmanager
def told() -> Iterator[None]:
    """Say of ADBC's errors whether the source may work next time."""
    import adbc_driver_manager as manager

    try:
        yield
    except (manager.Error, OSError, pa.ArrowException) as error:
        state = getattr(error, "sqlstate", None) or ""
        text = str(error).strip()
        if state.startswith(_ENDED) or _is_lost(text):
            raise RetryableError(
                f"the source's connection ended while its rows were read; run the task again. "
                f"({text})"
            ) from error
        raise RunError(f"the source's query failed: {text}") from error


def _is_lost(text: str) -> bool:
    signs = ("terminating connection", "server closed the connection", "could not receive data")
    return any(sign in text for sign in (*signs, "no connection to the server"))
