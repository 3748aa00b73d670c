"""Postgres's bulk paths: ADBC streams a query's rows; COPY takes them.

Into a staging table COPY goes over the connection of the load, as CSV, so that the table is a
temporary one, which writes no log, is nobody else's, and goes with the session however that
ends. A table that is to take its target's place has to be an ordinary one: into that ADBC sends
binary COPY over a connection of its own, which is less work for the server.
"""

from __future__ import annotations

import io
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from airflow_dataops.core.engines.error_codes import ErrorKind, Fate
from airflow_dataops.core.engines.errors import kind_of
from airflow_dataops.core.engines.statements import send
from airflow_dataops.core.sql.bulk import copy_from_client, create_bulk_table
from airflow_dataops.core.sql.replaces import create_like
from airflow_dataops.core.sql.staging import drop_table
from airflow_dataops.core.sql.tables import Table, read_table
from airflow_dataops.errors import MissingExtraError, RetryableError, RunError
from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
from airflow_dataops.hooks.bulk.batches import Batches, ahead
from airflow_dataops.hooks.interruptible import call_interruptibly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation

_BATCH_BYTES = str(4 * 1024**2)
_OPTIONS = pyarrow.csv.WriteOptions(include_header=False)
_TARGET = "the transfer of rows into the staging table"


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
    _copy(session, staging, batches)


def _copy(session: Any, staging: Relation, batches: Batches) -> None:
    statement = copy_from_client(staging, batches.schema.names, "postgres")
    with closing(session.connection.cursor()) as cursor, cursor.copy(statement) as copy:
        for block in ahead(batches, _csv):
            copy.write(block)


def fill_like(session: Any, staging: Relation, batches: Batches, like: Table) -> bool:
    """Make a table of the rows, like another one if they have its columns and types.

    Returns:
        Whether it is like the other one.
    """
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "postgres"))
    made = read_table(session, staging)
    alike = made is not None and _types(made) == _types(like) and staging.schema is not None
    if alike and not any(column.filled for column in like.columns):
        send(drop_table(staging, "postgres"), session)
        session.execute(create_like(staging, like.sql, "postgres"))
        _ingest(session, staging, batches)
        return True
    _copy(session, staging, batches)
    return False


def _types(table: Table) -> dict[str, str]:
    # Without a length they are the same.
    same = {"character varying": "text"}
    return {column.name: same.get(column.type, column.type) for column in table.columns}


def _ingest(session: Any, staging: Relation, batches: Batches) -> None:
    """Send rows over a connection of its own, whose transaction is only for them."""
    dbapi = _adbc()
    with told(_TARGET):
        opened = dbapi.connect(_address(session.connection))
    with closing(opened) as connection, closing(connection.cursor()) as cursor:
        ingest = partial(cursor.adbc_ingest, mode="append", db_schema_name=staging.schema)
        with told(_TARGET):
            call_interruptibly(
                ingest, staging.identifier, batches.reader(), stop=cursor.adbc_cancel
            )
            connection.commit()


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
def told(what: str = "the source's query") -> Iterator[None]:
    """Say of ADBC's errors whether it may work next time."""
    import adbc_driver_manager as manager

    try:
        yield
    except (manager.Error, OSError, pa.ArrowException) as error:
        kind, text = kind_of(error), str(error).strip()
        if kind is ErrorKind.LOST or _is_lost(text):
            raise RetryableError(
                f"{what} failed, for the connection ended; run the task again. ({text})"
            ) from error
        if kind is not None and kind.fate is Fate.RETRYABLE:
            message = f"{what} failed, as {kind}; run the task again. ({text})"
            raise RetryableError(message) from error
        raise RunError(f"{what} failed: {text}") from error


def _is_lost(text: str) -> bool:
    signs = ("terminating connection", "server closed the connection", "could not receive data")
    return any(sign in text for sign in (*signs, "no connection to the server"))
