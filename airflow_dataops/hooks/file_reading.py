"""Reads files one after the other, and says of what goes wrong in which file and row."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_dataops.errors import RetryableError, RunError
from airflow_dataops.hooks.csv_reading import open_csv
from airflow_dataops.hooks.file_formats import FileFormat, Opened
from airflow_dataops.hooks.jsonl_reading import open_jsonl
from airflow_dataops.hooks.parquet_reading import open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_dataops.hooks.file_formats import Reading
    from airflow_dataops.hooks.value_rules import Rule

log = logging.getLogger(__name__)

_OPEN = {
    FileFormat.CSV: open_csv,
    FileFormat.JSONL: open_jsonl,
    FileFormat.PARQUET: open_parquet,
}


class OpenFile:
    """A file that is being read.

    Args:
        storage: fsspec's file system.
        path: the file in it.
        reading: how it is to be read.
        known: how columns are read that a file before had.

    Raises:
        RunError: it is not of the format, or lacks columns whose types are given.
        RetryableError: the storage did not give it.
    """

    def __init__(
        self, storage: Any, path: str, reading: Reading, known: Mapping[str, Rule]
    ) -> None:
        self.path = path
        self._row = 0
        with self._told():
            self._file = storage.open(path, "rb")
        try:
            with self._told():
                self._opened: Opened = _OPEN[reading.format](self._file, path, reading, known)
            if self.rules:
                self._require(reading)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> OpenFile:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    @property
    def rules(self) -> Mapping[str, Rule]:
        """How each column is read; none where the file is empty."""
        return self._opened.rules

    @property
    def has_rows(self) -> bool:
        """Whether it may have rows."""
        return self._opened.rows

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the file's rows."""
        with self._told():
            for batch in self._opened.batches:
                yield batch
                self._row += batch.num_rows

    def close(self) -> None:
        """Close the file. May be called again."""
        self._file.close()

    def _require(self, reading: Reading) -> None:
        missing = [name for name in reading.types if name not in self.rules]
        if missing:
            raise RunError(
                f"{self.path}: it has no column {listed(missing)}, which `columns` names; its "
                f"columns are {listed(self.rules)}."
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
                "or name the column's type in `columns`, or its encoding in `options`."
            ) from error
        except OSError as error:
            # pyarrow raises its own failures to decode as OSError without a number.
            if error.errno is None:
                raise RunError(f"{self.path}: it is broken after row {self._row}: {error}.") from (
                    error
                )
            raise RetryableError(f"{self.path}: it could not be read: {error}.") from error


def listed(names: Any) -> str:
    """Return names as an error shows them."""
    return ", ".join(map(repr, names)) or "none"
