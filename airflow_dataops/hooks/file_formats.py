"""What files can hold, how an author names their types, and what is known of their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.value_rules import PLAIN, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TYPES = {name: type_ for type_, name in PLAIN.items()}
_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


class FileFormat(StrEnum):
    """How rows are written in a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Reading:
    """How files are to be read.

    Attributes:
        types: of columns, as the author names them.
        options: of the format.
        formats: of dates and times by column, by strptime's codes.
        zone: see `value_rules.Rule`.
        compression: one of `file_bytes.Compression`.
    """

    format: FileFormat
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    compression: str = "infer"

    def rule(self, name: str) -> Rule:
        """Return what is known of a column without a look at it; the type may not be."""
        type_ = self.types.get(name, pa.string())
        formats = (self.formats[name],) if name in self.formats else ()
        return Rule(type_, zone=self.zone, formats=formats)


@dataclass(frozen=True)
class Opened:
    """A file whose columns are known.

    Attributes:
        path: names it in errors.
        rules: how each column is read, in the file's order.
        batches: its rows, to be read once.
        rows: whether it is known to have some.
    """

    path: str
    rules: Mapping[str, Rule]
    batches: Iterator[pa.RecordBatch]
    rows: bool = True

    @property
    def schema(self) -> pa.Schema:
        """The columns of the batches."""
        return pa.schema([(name, rule.type) for name, rule in self.rules.items()])


def read_types(columns: Mapping[str, str]) -> dict[str, pa.DataType]:
    """Return the Arrow types that an author names.

    Raises:
        ConfigError: there is no such type; the message lists them.
    """
    return {name: _read_type(name, text) for name, text in columns.items()}


def check_names(path: str, names: Sequence[str]) -> None:
    """Refuse columns that cannot be told apart.

    Raises:
        RunError: two have one name, or one has none.
    """
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if not name:
            raise RunError(f"{path}: its column {place} has no name. Mend the header.")
        if name in seen:
            raise RunError(f"{path}: two columns are named {name!r}. Mend the header.")
        seen.add(name)


def _read_type(name: str, text: str) -> pa.DataType:
    if text in _TYPES:
        return _TYPES[text]
    if (found := _DECIMAL.fullmatch(text)) and int(found[2]) <= int(found[1]) <= 38:
        return pa.decimal128(int(found[1]), int(found[2]))
    raise ConfigError(
        f"columns: {name!r} is {text!r}; choose one of {', '.join(_TYPES)} or decimal(18,2), of "
        "at most 38 digits."
    )
