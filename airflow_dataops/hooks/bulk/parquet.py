"""Batches as Parquet files of some megabytes, one on disk at a time."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.hooks.bulk.batches import Batches

_FILE_BYTES = 128 * 1024**2


def parquet_files(batches: Batches) -> Iterator[Path]:
    """Yield the path of each file, which is there until the next one is asked for.

    Rows without any make no file.
    """
    source = iter(batches)
    number = 0
    with tempfile.TemporaryDirectory(prefix="dataops-") as folder:
        batch = next(source, None)
        while batch is not None:
            path = Path(folder) / f"{number}.parquet"
            with _writer(path, batches) as writer:
                writer.write_batch(batch)
                batch = next(source, None)
                while batch is not None and path.stat().st_size < _FILE_BYTES:
                    writer.write_batch(batch)
                    batch = next(source, None)
            yield path
            path.unlink()
            number += 1


@contextmanager
def _writer(path: Path, batches: Batches) -> Iterator[pyarrow.parquet.ParquetWriter]:
    # Snappy is what every warehouse reads.
    with pyarrow.parquet.ParquetWriter(path, batches.schema, compression="snappy") as writer:
        yield writer
