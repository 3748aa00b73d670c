"""Running totals of one host, in a file that all of its processes add to.

Prometheus reads totals, and every task is a process of its own: what each of them knows is a
part. So the parts are added up in a file, one process at a time.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.local_files import NoFileError, read_regular
from airflow_dataops.core.metrics.batch import Series
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.metrics.batch import Batch

_LOCK_SECONDS = 5.0
_Rows = list[tuple[str, tuple[tuple[str, str], ...], float]]


class Distribution(msgspec.Struct):
    """A timing, over all processes of the host."""

    name: str
    tags: tuple[tuple[str, str], ...]
    total: float
    buckets: list[int]


class _File(msgspec.Struct):
    counters: _Rows = []
    gauges: _Rows = []
    timings: list[Distribution] = []


class Totals:
    """What a host has counted since the file was made."""

    def __init__(self) -> None:
        self.counters: dict[Series, float] = {}
        self.gauges: dict[Series, float] = {}
        self.timings: dict[Series, Distribution] = {}

    def add(self, batch: Batch) -> None:
        """Add what one process measured."""
        for series, value in batch.counters.items():
            self.counters[series] = self.counters.get(series, 0) + value
        self.gauges.update(batch.gauges)
        for series, timing in batch.timings.items():
            mine = self.timings.get(series)
            if mine is None or len(mine.buckets) != len(timing.buckets):
                mine = Distribution(*series, 0.0, [0] * len(timing.buckets))
                self.timings[series] = mine
            mine.total += timing.total
            mine.buckets = [a + b for a, b in zip(mine.buckets, timing.buckets, strict=True)]

    @classmethod
    def read(cls, path: Path) -> Totals:
        """Read a file; one that is missing or broken starts anew, which Prometheus takes well."""
        totals = cls()
        try:
            found = msgspec.json.decode(read_regular(path), type=_File)
        except (FileNotFoundError, NoFileError, msgspec.DecodeError):
            return totals
        totals.counters = {Series(name, tags): value for name, tags, value in found.counters}
        totals.gauges = {Series(name, tags): value for name, tags, value in found.gauges}
        totals.timings = {Series(one.name, one.tags): one for one in found.timings}
        return totals

    def write(self, path: Path) -> None:
        """Write a file in one step."""
        content = _File(
            counters=[(*series, value) for series, value in self.counters.items()],
            gauges=[(*series, value) for series, value in self.gauges.items()],
            timings=list(self.timings.values()),
        )
        replace(path, msgspec.json.encode(content))


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_bytes(content)
    new.chmod(0o644)
    new.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file; it goes with the process, however that ends.

    Raises:
        RetryableError: another process has held it for 5 seconds.
        OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _LOCK_SECONDS
    with path.with_name(f".{path.name}.lock").open("w") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise RetryableError(f"{path}: another process holds the lock")
            time.sleep(0.01)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
