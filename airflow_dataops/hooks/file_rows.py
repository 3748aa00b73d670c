"""The rows of several files as those of one table: their columns, and what becomes of odd ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

from airflow_dataops.errors import ConfigError, RunError
from airflow_dataops.hooks.file_reading import OpenFile, listed
from airflow_dataops.hooks.hive_partitions import add_partitions, partition_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_dataops.hooks.file_formats import Reading
    from airflow_dataops.hooks.file_listing import Listing
    from airflow_dataops.hooks.value_rules import Rule

log = logging.getLogger(__name__)


class Schemas(StrEnum):
    """What columns the files have."""

    SAME = "same"
    """All those of the first one with rows, in whatever order."""
    UNION = "union"
    """Any; a column that a file lacks is NULL in its rows."""


@dataclass
class FileRows:
    """The rows of files.

    Attributes:
        partitions: how each column is read that is in the files' paths.
        schema: the columns of the rows; known once it was asked for.
    """

    listing: Listing
    reading: Reading
    schemas: Schemas
    partitions: Mapping[str, Rule]
    _rules: dict[str, Rule] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        """Look into the files for their columns.

        Raises:
            RunError: none of them has any.
        """
        for path in self.listing.marks:
            with self._open(path, {}) as file:
                self._learn(file)
                if self.schemas is Schemas.SAME and file.has_rows:
                    break
        if not self._rules:
            named = {name: self.reading.rule(name) for name in self.reading.types}
            if not named:
                raise RunError(
                    f"{', '.join(self.listing.marks)}: 0 bytes, so that there are no columns. Name "
                    "them in `columns`, or leave empty files out."
                )
            self._rules.update(named)
        self._check_formats()
        more = {name: rule for name, rule in self.partitions.items() if name not in self._rules}
        return pa.schema([(name, rule.type) for name, rule in (self._rules | more).items()])

    def rows(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all files with the columns of `schema`.

        Raises:
            RunError: a file has others, or a value that does not fit.
        """
        for path in self.listing.marks:
            values = partition_values(path, self.partitions)
            with self._open(path, self._rules) as file:
                if not file.rules:
                    log.info("%s has 0 bytes, and no rows", path)
                    continue
                self._check(file)
                for batch in file:
                    yield _fitted(add_partitions(batch, values, path), schema)

    def _open(self, path: str, known: Mapping[str, Rule]) -> OpenFile:
        return OpenFile(self.listing.storage, path, self.reading, {**self.partitions, **known})

    def _learn(self, file: OpenFile) -> None:
        """Take over the columns of a file; those of the last one alone where all have the same."""
        if self.schemas is Schemas.SAME and file.rules:
            # Of a file without rows the types are not known: the next one tells them.
            self._check(file)
            self._rules = dict(file.rules)
            return
        for name, rule in file.rules.items():
            if name not in self._rules or pa.types.is_null(self._rules[name].type):
                self._rules[name] = rule

    def _check_formats(self) -> None:
        """Refuse formats that set nothing: a date would be read in another way than is meant."""
        for name in self.reading.formats:
            if name not in self._rules:
                raise ConfigError(
                    f"formats: there is no column {name!r}; those of the files are "
                    f"{listed(self._rules)}."
                )
            type_ = self._rules[name].type
            if not (pa.types.is_temporal(type_) or pa.types.is_null(type_)):
                raise ConfigError(
                    f"formats: the column {name!r} holds {self._rules[name].said}, no dates or "
                    f"times as {self.reading.formats[name]!r} writes them. Mend the format, or "
                    "name the column's type in `columns`."
                )

    def _check(self, file: OpenFile) -> None:
        if self.schemas is Schemas.UNION or not self._rules:
            return
        # Partition columns are in the files of some writers, and not in those of others.
        missing = [n for n in self._rules if n not in file.rules and n not in self.partitions]
        more = [n for n in file.rules if n not in self._rules and n not in self.partitions]
        if missing or more:
            raise RunError(
                f"{file.path}: its columns are not those of the first file: it lacks "
                f"{listed(missing)} and has {listed(more)} besides. Mend the files, or set "
                "schemas='union' to have NULL for what is lacking."
            )


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with all columns of a schema, in its order."""
    columns = [
        batch.column(field.name)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.record_batch(columns, schema=schema)
