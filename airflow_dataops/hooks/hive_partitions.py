"""Columns whose values are in the names of folders: `day=2026-01-01/`.

https://cwiki.apache.org/confluence/display/Hive/LanguageManual+DDL#LanguageManualDDL-PartitionedTables
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from airflow_dataops.errors import RunError
from airflow_dataops.hooks.value_rules import ValueRefusedError, read_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.hooks.value_rules import Rule

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_values(path: str, rules: Mapping[str, Rule]) -> dict[str, pa.Array]:
    """Return the value of each partition column in a path, as an array of one.

    Raises:
        RunError: the path has no folder for a column, two of them, or a value of another type.
    """
    folders = [part.partition("=") for part in path.split("/")[:-1] if "=" in part]
    found: dict[str, pa.Array] = {}
    for name, rule in rules.items():
        values = [value for key, _, value in folders if unquote(key) == name]
        if len(values) != 1:
            raise RunError(
                f"{path}: it has {len(values)} folders such as {name}=..., and `partitions` names "
                "that column; mend the path or `partitions`."
            )
        text = None if values[0] == _NULL else unquote(values[0], errors="strict")
        try:
            found[name] = read_texts(pa.array([text], pa.string()), rule)
        except ValueRefusedError as error:
            raise RunError(
                f"{path}, partition {name!r}: {error.text!r} is no {rule.said}: {error.why}."
            ) from error
    return found


def add_partitions(
    batch: pa.RecordBatch, values: Mapping[str, pa.Array], path: str
) -> pa.RecordBatch:
    """Return a batch with the columns of its file's path.

    Raises:
        RunError: the file has such a column, too, and says something else in it.
    """
    for name, value in values.items():
        column = pa.repeat(value[0], batch.num_rows)
        if name not in batch.schema.names:
            batch = batch.append_column(name, column)
            continue
        same = pc.fill_null(pc.equal(batch.column(name), column), False)
        both = pc.and_(pc.is_null(batch.column(name)), pc.is_null(column))
        if not pc.all(pc.or_(same, both)).as_py():
            raise RunError(
                f"{path}: its column {name!r} says something else than its folder, "
                f"{value[0].as_py()}. Mend the file or its place, or take {name!r} out of "
                "`partitions`."
            )
    return batch
