"""Arrow types that every engine takes, and how the others become one of them.

Types and extension types: https://arrow.apache.org/docs/format/Columnar.html and
https://arrow.apache.org/docs/format/CanonicalExtensions.html.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from airflow_dataops.core.sql.bulk import BulkColumn
from airflow_dataops.errors import RunError
from airflow_dataops.hooks.value_rules import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WIDER = {
    pa.int8(): pa.int16(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.null(): pa.string(),
}
_MOST_DIGITS = 38
_MISREAD = ("money", "oid")
# 0001-01-01 to 9999-12-31, in days and microseconds since 1970.
_DAYS = (-719_162, 2_932_896)
_MICROSECONDS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_CALENDAR = {
    pa.date32(): _DAYS,
    pa.timestamp("us"): _MICROSECONDS,
    pa.timestamp("us", "UTC"): _MICROSECONDS,
}


class Carried(NamedTuple):
    """A column on its way: what it becomes, and how."""

    field: pa.Field
    convert: Callable[[pa.Array], pa.Array]


def carry(schema: pa.Schema) -> list[Carried]:
    """Return how each column of a source is carried.

    Raises:
        RunError: some cannot be, or two have one name; the message names all of them.
    """
    problems = [f"two columns are named {name!r}" for name in _repeated(schema.names)]
    columns, refused = [], []
    for field in schema:
        convert = _conversion(field)
        if isinstance(convert, str):
            refused.append(f"{field.name!r} is {convert}")
        else:
            columns.append(Carried(pa.field(field.name, convert[0]), convert[1]))
    problems += refused
    if not schema.names:
        problems.append("it has no columns")
    if problems:
        raise RunError(
            f"the source's rows cannot be carried: {'; '.join(problems)}. Nothing was written."
        )
    return columns


def convert(batch: pa.RecordBatch, columns: list[Carried]) -> pa.RecordBatch:
    """Return a batch with its columns as they are carried.

    Raises:
        RunError: a value does not fit what its column is carried as.
    """
    arrays = []
    for array, column in zip(batch.columns, columns, strict=True):
        try:
            arrays.append(_within(column.convert(array)))
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise RunError(
                f"the source's column {column.field.name!r} holds a value that does not fit "
                f"{column.field.type}: {error}. Cast or filter it in the query."
            ) from error
    return pa.record_batch(arrays, schema=pa.schema([c.field for c in columns]))


def bulk_columns(schema: pa.Schema) -> tuple[BulkColumn, ...]:
    """Return the columns of a carried schema, as the statements that make tables want them."""
    return tuple(
        BulkColumn(name=f.name, type="decimal", size=(f.type.precision, f.type.scale))
        if types.is_decimal(f.type)
        else BulkColumn(name=f.name, type=PLAIN[f.type])
        for f in schema
    )


def _conversion(field: pa.Field) -> tuple[pa.DataType, Callable[[pa.Array], pa.Array]] | str:
    """Return the type a column is carried as and how it gets there, or what is wrong."""
    given = field.type
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if kind in _MISREAD:
        return f"{kind}, which ADBC gives as a bare number (cast it to text or numeric)"
    if given in PLAIN:
        return given, _same
    if isinstance(given, pa.BaseExtensionType):
        return _extension(field)
    if types.is_dictionary(given):
        inner = _conversion(pa.field(field.name, given.value_type))
        return inner if isinstance(inner, str) else (inner[0], _decoded(inner[1]))
    if types.is_nested(given):
        return pa.string(), _to_json
    if types.is_decimal(given):
        return _decimal(given.precision, given.scale)
    to = _cast_to(given)
    if to is None:
        return f"{given}, which not every engine has (cast it to text or a number in the query)"
    return to, _cast(to)


def _cast_to(given: pa.DataType) -> pa.DataType | None:
    if given in _WIDER:
        return _WIDER[given]
    if types.is_timestamp(given):
        return pa.timestamp("us", None if given.tz is None else "UTC")
    if types.is_time(given):
        return pa.time64("us")
    if types.is_large_string(given) or types.is_string_view(given):
        return pa.string()
    if types.is_large_binary(given) or types.is_binary_view(given):
        return pa.binary()
    return pa.binary() if types.is_fixed_size_binary(given) else None


def _extension(field: pa.Field) -> tuple[pa.DataType, Callable[[pa.Array], pa.Array]] | str:
    given = field.type
    name = given.extension_name
    if name == "arrow.uuid":
        return pa.string(), _uuid_text
    if name == "arrow.json":
        return pa.string(), lambda array: _storage(array).cast(pa.string())
    # https://arrow.apache.org/adbc/current/driver/postgresql.html#types
    if name == "arrow.opaque" and given.type_name == "numeric":
        return _numeric(field)
    if name in ("arrow.bool8", "arrow.fixed_shape_tensor"):
        inner = _conversion(pa.field(field.name, given.storage_type))
        return inner if isinstance(inner, str) else (inner[0], lambda a: inner[1](_storage(a)))
    kind = given.type_name if name == "arrow.opaque" else name
    return f"{kind}, which has no Arrow type (cast it to text in the query)"


def _numeric(field: pa.Field) -> tuple[pa.DataType, Callable[[pa.Array], pa.Array]] | str:
    modifier = int((field.metadata or {}).get(b"POSTGRESQL:typmod", b"-1"))
    if modifier < 0:
        return (
            "numeric without precision and scale (cast it in the query, such as to numeric(38, 9))"
        )
    # As NUMERIC's typmod is packed: src/backend/utils/adt/numeric.c, make_numeric_typmod.
    precision = ((modifier - 4) >> 16) & 0xFFFF
    scale = (((modifier - 4) & 0x7FF) ^ 1024) - 1024
    found = _decimal(precision, scale)
    if isinstance(found, str):
        return found
    return found[0], lambda array: _storage(array).cast(found[0])


def _decimal(
    precision: int, scale: int
) -> tuple[pa.DataType, Callable[[pa.Array], pa.Array]] | str:
    if scale < 0 or scale > precision:
        precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
    if precision > _MOST_DIGITS:
        return f"a decimal of {precision} digits; {_MOST_DIGITS} are the most (cast it)"
    to = pa.decimal128(precision, scale)
    return to, _cast(to)


def _within(array: pa.Array) -> pa.Array:
    """Return a column whose dates are of the years 1 to 9999, and decimals no longer than told.

    DuckDB gives integers of 39 digits as decimals of 38; infinite dates are of no year.
    """
    if types.is_decimal(array.type):
        most = pc.min_max(array).as_py()
        limit = 10 ** (array.type.precision - array.type.scale)
        if most["max"] is not None and max(abs(most["max"]), abs(most["min"])) >= limit:
            raise ValueError(f"a number of more than {array.type.precision} digits")
        return array
    bounds = _CALENDAR.get(array.type)
    if bounds is not None:
        numbers = array.view(pa.int32() if types.is_date(array.type) else pa.int64())
        found = pc.min_max(numbers).as_py()
        if found["min"] is not None and (found["min"] < bounds[0] or found["max"] > bounds[1]):
            raise ValueError("a date before the year 1 or after 9999, or an infinite one")
    return array


def _same(array: pa.Array) -> pa.Array:
    return array


def _cast(to: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda array: array if array.type == to else array.cast(to)


def _decoded(then: Callable[[pa.Array], pa.Array]) -> Callable[[pa.Array], pa.Array]:
    return lambda array: then(pc.cast(array, array.type.value_type))


def _storage(array: pa.Array) -> pa.Array:
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _uuid_text(array: pa.Array) -> pa.Array:
    values = _storage(array).to_pylist()
    return pa.array([v and str(uuid.UUID(bytes=v)) for v in values], pa.string())


def _to_json(array: pa.Array) -> pa.Array:
    kept = (None if v is None else _dumped(v) for v in array.to_pylist())
    return pa.array(kept, pa.string())


def _dumped(value: Any) -> str:
    # NaN and the infinite numbers are not in JSON: an error.
    return json.dumps(value, default=_text, ensure_ascii=False, allow_nan=False)


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [n for n in names if n.casefold() in seen or seen.add(n.casefold())]  # type: ignore[func-returns-value]
