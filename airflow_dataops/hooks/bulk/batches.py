"""Rows on their way: Arrow record batches of one schema, read once, a few at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from airflow_dataops.hooks.bulk.arrow_types import carry, convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")
B = TypeVar("B")

ROWS = 65_536
"""Rows of a batch, at most: some megabytes."""


class Batches:
    """Batches whose columns every engine takes; to be read once.

    Attributes:
        schema: of the types that `carried` lists.
        rows: how many were read so far.
        bytes: how many those take in Arrow's memory.
        failure: what the source raised. Engines that read the batches themselves hide it.
    """

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Look at the columns; read nothing.

        Raises:
            RunError: some column cannot be carried.
        """
        self._columns = carry(schema)
        self._batches = iter(batches)
        self.schema = pa.schema([column.field for column in self._columns])
        self.rows = 0
        self.bytes = 0
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                for start in range(0, batch.num_rows, ROWS):
                    part = convert(batch.slice(start, ROWS), self._columns)
                    self.rows += part.num_rows
                    self.bytes += part.nbytes
                    yield part
        except Exception as error:
            self.failure = error
            raise

    def reader(self) -> pa.RecordBatchReader:
        """Return the batches as a stream that engines read by Arrow's C interface."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))


def ahead(items: Iterable[A], work: Callable[[A], B]) -> Iterator[B]:
    """Yield the outcome of some work on each item; the next one is got while one is used."""
    source = iter(items)
    end = object()

    def step() -> B | object:
        item = next(source, end)
        return end if item is end else work(item)  # type: ignore[arg-type]

    with ThreadPoolExecutor(1, "dataops-batches") as pool:
        future = pool.submit(step)
        while (done := future.result()) is not end:
            future = pool.submit(step)
            yield done  # type: ignore[misc]
