"""Reads files of Parquet, some row groups at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.bulk.batches import ROWS
from airflow_dataops.hooks.file_bytes import codec_of
from airflow_dataops.hooks.file_formats import Opened, Reading, check_names
from airflow_dataops.hooks.value_casts import cast_values
from airflow_dataops.hooks.value_rules import Origin, Rule, ValueRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def open_parquet(file: Any, path: str, reading: Reading, known: Mapping[str, Rule]) -> Opened:
    """Read Parquet. Its types are in the file; those that are named, or known, are made of them.

    Args:
        known: how columns are read that a file before had.

    Raises:
        ConfigError: there are options, or a compression: Parquet has its own.
        RunError: two columns have one name.
    """
    if reading.options:
        raise ConfigError(f"options {', '.join(sorted(reading.options))}: Parquet has none.")
    if codec_of(path, reading.compression) is not None:
        raise ConfigError(f"{path}: Parquet is packed inside of the file; unpack the file.")
    source = pyarrow.parquet.ParquetFile(
        pa.PythonFile(file, "r"),
        # Spark's; as nanoseconds those before 1678 and after 2261 come out as others.
        coerce_int96_timestamp_unit="us",
        page_checksum_verification=True,
    )
    names = source.schema_arrow.names
    check_names(path, names)
    rules = {
        field.name: known.get(field.name) or _rule(reading, field) for field in source.schema_arrow
    }
    return Opened(path, rules, _cast(source, rules, path))


def _rule(reading: Reading, field: pa.Field) -> Rule:
    if field.name in reading.types:
        return reading.rule(field.name)
    return reading.rule(field.name)._replace(type=field.type, origin=Origin.FOUND)


def _cast(
    source: pyarrow.parquet.ParquetFile, rules: Mapping[str, Rule], path: str
) -> Iterator[pa.RecordBatch]:
    rows = 0
    schema = pa.schema([(name, rule.type) for name, rule in rules.items()])
    for batch in source.iter_batches(batch_size=ROWS):
        columns = []
        for name, rule in rules.items():
            where = f"{path}, row {rows + 1} and after, column {name!r}"
            try:
                columns.append(cast_values(batch.column(name), rule))
            except ValueRefusedError as error:
                where = f"{path}, row {rows + error.index + 1}, column {name!r}"
                raise RunError(
                    f"{where}: {error.text!r} is no {rule.said}: {error.why}. Mend the file, or "
                    "name the column's type in `columns`."
                ) from error
            except TypeError as error:
                raise RunError(
                    f"{where}: {error}, and {rule.said} elsewhere; name its type in `columns`."
                ) from error
        yield pa.record_batch(columns, schema=schema)
        rows += batch.num_rows
