"""Snowflake's bulk paths: Arrow chunks of a result; Parquet through a stage and COPY."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.core.sql.bulk import copy_parquet, create_bulk_table, create_stage, put_file
from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
from airflow_dataops.hooks.bulk.batches import Batches
from airflow_dataops.hooks.bulk.parquet import parquet_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query and yield its rows, chunk by chunk as Snowflake stores the result."""
    with closing(session.connection.cursor()) as cursor:
        cursor.execute(sql, list(parameters) or None)
        schema = pa.schema([_field(column) for column in cursor.description])
        yield Batches(schema, _batches(cursor, schema))


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    session.execute(create_bulk_table(staging, bulk_columns(batches.schema), "snowflake"))
    session.execute(create_stage(staging))
    for path in parquet_files(batches):
        session.execute(put_file(str(path), staging))
    if batches.rows:
        session.execute(copy_parquet(staging))


def _batches(cursor: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    # Integers are as wide as each chunk needs, so chunks of one result differ.
    for table in cursor.fetch_arrow_batches():
        yield from table.cast(schema).to_batches()


def _field(column: Any) -> pa.Field:
    """Return the Arrow type for a column of a result.

    Type codes: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
    """
    return pa.field(column.name, _type(column.type_code, column.precision, column.scale))


def _type(code: int, precision: int | None, scale: int | None) -> pa.DataType:
    if code == _FIXED:
        digits, after = precision or 38, scale or 0
        return pa.int64() if after == 0 and digits <= 18 else pa.decimal128(digits, after)
    return _TYPES.get(code, pa.string())


_FIXED = 0
_TYPES = {
    1: pa.float64(),
    3: pa.date32(),
    4: pa.timestamp("us"),
    6: pa.timestamp("us", "UTC"),
    7: pa.timestamp("us", "UTC"),
    8: pa.timestamp("us"),
    11: pa.binary(),
    12: pa.time64("us"),
    13: pa.bool_(),
}
