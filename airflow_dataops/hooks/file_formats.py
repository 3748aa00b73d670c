"""Reads one file of a format as Arrow record batches, some megabytes at a time."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.bulk.batches import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK = 4 * 1024**2
_TYPES = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "text": pa.string(),
    "bytes": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")
_CSV_OPTIONS = {
    **dict.fromkeys(("delimiter", "quote_char", "escape_char", "double_quote"), "parse"),
    "newlines_in_values": "parse",
    **dict.fromkeys(("encoding", "skip_rows", "column_names"), "read"),
    **dict.fromkeys(("null_values", "true_values", "false_values", "decimal_point"), "convert"),
    **dict.fromkeys(("strings_can_be_null", "timestamp_parsers"), "convert"),
}


class FileFormat(StrEnum):
    """How rows are written in a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def read_types(columns: Mapping[str, str]) -> dict[str, pa.DataType]:
    """Return the Arrow types that an author names.

    Raises:
        ConfigError: there is no such type; the message lists them.
    """
    return {name: _read_type(name, text) for name, text in columns.items()}


def open_csv(
    file: Any, types: Mapping[str, pa.DataType], options: Mapping[str, Any]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Read CSV; the first line names the columns unless `column_names` does.

    A field without quotes that is empty is NULL; in quotes it is an empty text.

    Raises:
        ConfigError: an option is unknown; the message lists them.
    """
    unknown = sorted(set(options) - set(_CSV_OPTIONS))
    if unknown:
        raise ConfigError(
            f"options {', '.join(unknown)}: CSV has {', '.join(sorted(_CSV_OPTIONS))}."
        )
    given: dict[str, dict[str, Any]] = {"read": {}, "parse": {}, "convert": {}}
    for name, value in options.items():
        given[_CSV_OPTIONS[name]][name] = value
    nulls = {"null_values": [""], "strings_can_be_null": True, "quoted_strings_can_be_null": False}
    reader = pyarrow.csv.open_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK, **given["read"]),
        parse_options=pyarrow.csv.ParseOptions(**{"newlines_in_values": True, **given["parse"]}),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(types), **{**nulls, **given["convert"]}
        ),
    )
    return reader.schema, reader


def open_jsonl(
    file: Any, types: Mapping[str, pa.DataType], options: Mapping[str, Any]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Read JSON lines: an object in each; fields that the first megabytes lack are errors."""
    _refuse(options, "JSON lines")
    schema = pa.schema(list(types.items())) if types else None
    reader = pyarrow.json.open_json(
        file,
        read_options=pyarrow.json.ReadOptions(block_size=_BLOCK),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=False,
            unexpected_field_behavior="infer",
        ),
    )
    return reader.schema, reader


def open_parquet(
    file: Any, types: Mapping[str, pa.DataType], options: Mapping[str, Any]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Read Parquet. Its types are in the file; `types` are casts."""
    _refuse(options, "Parquet")
    source = pyarrow.parquet.ParquetFile(file)
    fields = [f.with_type(types.get(f.name, f.type)) for f in source.schema_arrow]
    return pa.schema(fields), source.iter_batches(batch_size=ROWS)


OPEN = {
    FileFormat.CSV: open_csv,
    FileFormat.JSONL: open_jsonl,
    FileFormat.PARQUET: open_parquet,
}


def _refuse(options: Mapping[str, Any], format_: str) -> None:
    if options:
        raise ConfigError(f"options {', '.join(sorted(options))}: {format_} has none.")


def _read_type(name: str, text: str) -> pa.DataType:
    if text in _TYPES:
        return _TYPES[text]
    if (found := _DECIMAL.fullmatch(text)) and int(found[2]) <= int(found[1]) <= 38:
        return pa.decimal128(int(found[1]), int(found[2]))
    raise ConfigError(
        f"columns: {name!r} is {text!r}; choose one of {', '.join(_TYPES)} or decimal(18,2), of "
        "at most 38 digits."
    )
