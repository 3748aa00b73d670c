"""Reads files one after the other, and says of what goes wrong in which file and row."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.errors import ConfigError, RetryableError, RunError
from airflow_dataops.hooks.file_formats import OPEN, FileFormat, read_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class FileReader:
    """How files are read: their format, types and options.

    Raises:
        ConfigError: the format or a type is none.
    """

    def __init__(
        self, format_: str, columns: Mapping[str, str], options: Mapping[str, Any]
    ) -> None:
        try:
            self.format = FileFormat(format_)
        except ValueError:
            raise ConfigError(
                f"format={format_!r}: choose one of {', '.join(FileFormat)}."
            ) from None
        self.types = read_types(columns)
        self.options = options

    def open(self, storage: Any, path: str) -> OpenFile:
        """Open a file and look at its columns.

        Raises:
            RunError: it is not of the format, or lacks columns whose types are given.
        """
        return OpenFile(self, storage, path)


class OpenFile:
    """A file that is being read. `schema` tells its columns."""

    def __init__(self, reader: FileReader, storage: Any, path: str) -> None:
        self.path = path
        self._row = 0
        with self._told():
            self._file = storage.open(path, "rb")
        try:
            with self._told():
                opened = OPEN[reader.format](
                    pa.PythonFile(self._file, "r"), reader.types, reader.options
                )
            self.schema, self._batches = opened
            self._require(reader.types)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> OpenFile:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the file's rows."""
        yield from self.like(self.schema)

    def like(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the file's rows with the columns of a schema.

        Raises:
            RunError: it has others, or a value that does not fit.
        """
        missing = [name for name in schema.names if name not in self.schema.names]
        more = [name for name in self.schema.names if name not in schema.names]
        if missing or more:
            raise RunError(
                f"{self.path}: its columns are not those of the first file: it lacks "
                f"{_listed(missing)} and has {_listed(more)} besides."
            )
        with self._told():
            for batch in self._batches:
                yield self._fitted(batch, schema)
                self._row += batch.num_rows

    def close(self) -> None:
        """Close the file. May be called again."""
        self._file.close()

    def _fitted(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        arrays = []
        for column in schema:
            array = batch.column(column.name)
            try:
                arrays.append(array if array.type == column.type else array.cast(column.type))
            except pa.ArrowException as error:
                raise RunError(
                    f"{self.path}: column {column.name!r} is {array.type}, and {column.type} "
                    f"elsewhere; name its type in `columns`. ({error})"
                ) from error
        return pa.record_batch(arrays, schema=schema)

    def _require(self, types: Mapping[str, pa.DataType]) -> None:
        missing = [name for name in types if name not in self.schema.names]
        if missing:
            raise RunError(
                f"{self.path}: it has no column {_listed(missing)}, which `columns` names; its "
                f"columns are {_listed(self.schema.names)}."
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say where it was that a file could not be read."""
        try:
            yield
        except FileNotFoundError:
            raise RunError(f"{self.path}: there is no such file. Mend the path.") from None
        except (pa.ArrowException, UnicodeError) as error:
            raise RunError(
                f"{self.path}: it cannot be read, after row {self._row}: {error}. Mend the file, "
                "or name the column's type in `columns`."
            ) from error
        except OSError as error:
            # pyarrow raises its own failures to decode as OSError without a number.
            if error.errno is None:
                raise RunError(f"{self.path}: it is broken after row {self._row}: {error}.") from (
                    error
                )
            raise RetryableError(f"{self.path}: it could not be read: {error}.") from error


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
