"""Redshift's bulk paths: the rows of a result, and INSERT of many rows in one statement.

The driver keeps a whole result in memory. COPY would need a bucket that both sides may use.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.core.engines.statements import text
from airflow_dataops.core.sql.bulk import create_bulk_table, insert_rows
from airflow_dataops.hooks.bulk.arrow_types import bulk_columns
from airflow_dataops.hooks.bulk.batches import ROWS, Batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.model import Relation

_AT_ONCE = 30_000
"""Values of one statement; the protocol has room for 32,767."""


@contextmanager
def read(session: Any, sql: str, parameters: Sequence[Any]) -> Iterator[Batches]:
    """Run a query and yield its rows."""
    with closing(session.connection.cursor()) as cursor:
        session.run(cursor, sql, parameters)
        rows: list[Sequence[Any]] = cursor.fetchall()
        columns = [(str(name), code) for name, code, *_ in cursor.description]
    schema = pa.schema(
        [(name, _type(code, [row[at] for row in rows])) for at, (name, code) in enumerate(columns)]
    )
    yield Batches(schema, _batches(rows, schema))


def fill(session: Any, staging: Relation, batches: Batches) -> None:
    """Make a staging table of the rows."""
    columns = bulk_columns(batches.schema)
    session.execute(create_bulk_table(staging, columns, session.dialect))
    at_once = max(_AT_ONCE // len(columns), 1)
    for batch in batches:
        for start in range(0, batch.num_rows, at_once):
            rows = list(zip(*map(_values, batch.slice(start, at_once).columns), strict=True))
            statement = insert_rows(staging, columns, len(rows), session.dialect)
            values = [value for row in rows for value in row]
            session.execute(text(statement, session.placeholder), values)


def _values(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_binary(column.type):
        return [None if value is None else value.hex() for value in values]
    return values


def _batches(rows: list[Sequence[Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), ROWS):
        columns = zip(*rows[start : start + ROWS], strict=True)
        arrays = [
            pa.array(map(_taken, values), field.type)
            for values, field in zip(columns, schema, strict=True)
        ]
        yield pa.record_batch(arrays, schema=schema)


def _taken(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _type(code: int, values: Sequence[Any]) -> pa.DataType:
    """Return the Arrow type for a column of a result by the number of its type.

    https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
    """
    if code == _NUMERIC:
        exponents = (value.as_tuple().exponent for value in values if isinstance(value, Decimal))
        scales = (-exponent for exponent in exponents if isinstance(exponent, int))
        return pa.decimal128(38, max(0, *scales, 0))
    return _TYPES.get(code, pa.string())


_NUMERIC = 1700
_TYPES = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    6551: pa.binary(),
}
