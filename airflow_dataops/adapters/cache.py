"""The folder in which a host keeps what is dear to make: bounded, shared by all processes."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_dataops.adapters.local_files import read_regular, sealed, unsealed
from airflow_dataops.adapters.record_file import (
    BrokenRecordFileError,
    RecordFile,
    write_records,
    write_whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

log = logging.getLogger(__name__)

LARGEST = 512 * 1024 * 1024
"""Bytes that the folder may hold; what was used longest ago goes first."""
_TOUCHED_EACH = 3600.0
"""Seconds after which a use is noted again."""
_SETTLED = 2.0
"""Seconds after which a file's time of change tells one content from the next."""
_LARGEST_NOTE = 1024
_EVICTED_EACH = 50
"""Files that a process stores before it looks again for what to drop; it does so at its first."""
_stored = itertools.count()
_decoders: dict[Any, Callable[[memoryview], Any]] = {}


def folder() -> Path:
    """Return the folder, beside Airflow's home. Nothing is lost when it is deleted."""
    home = os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow"
    return Path(home) / "dataops" / "cache"


def load(name: str) -> RecordFile | None:
    """Return a record file by name, None where there is none or it is broken."""
    path = folder() / name
    try:
        records = RecordFile(path)
    except BrokenRecordFileError:
        drop(name)
        return None
    except OSError:
        return None
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _TOUCHED_EACH:
            os.utime(path)
    return records


def read(name: str, of: Callable[[RecordFile], T]) -> T | None:
    """Return what is read of a record file, None where there is none or it is broken.

    Args:
        of: reads it; returns None for what the record file does not hold.
    """
    if (records := load(name)) is None:
        return None
    try:
        return of(records)
    except (BrokenRecordFileError, msgspec.MsgspecError):
        drop(name)
        return None


def decoded(data: memoryview, kind: type[T]) -> T:
    """Return a record as a value of `kind`. Raises `MsgspecError` when it is none."""
    if kind not in _decoders:
        # It takes up to a millisecond to make one, and a worker needs two or three of them.
        _decoders[kind] = msgspec.msgpack.Decoder(kind).decode
    found: T = _decoders[kind](data)
    return found


def store(
    name: str,
    header: bytes,
    entries: Mapping[str, object] | None = None,
    more: Mapping[str, object] | None = None,
) -> None:
    """Keep a record file. A host that cannot write goes without, silently.

    So do whole numbers beyond 64 bits, which JSON may hold and msgpack may not.
    """
    with contextlib.suppress(OSError, OverflowError, UnicodeError):
        write_records(folder() / name, header, entries or {}, more or {})
        # To look at all files each time would take the longer the more there are.
        if next(_stored) % _EVICTED_EACH == 0:
            _evict()


def drop(name: str) -> None:
    """Forget a record file that turned out to be broken inside; it is made again."""
    log.info("%s was damaged, or is of another release: it is made again", name)
    with contextlib.suppress(OSError):
        (folder() / name).unlink()


def known_key(path: Path) -> str | None:
    """Return the key of a file's content without reading it, None where it is not known.

    The key is kept under what tells the file's state: its path, inode, size and times.
    Raises `OSError` when the file is not there.
    """
    note = _note(path, path.stat())
    try:
        told = unsealed(read_regular(note, _LARGEST_NOTE))
    except OSError:
        return None
    key, _, name = (told or b"").decode("ascii", "replace").partition(" ")
    return key if key and name == note.name else None


def key_of(data: bytes) -> str:
    """Return the key of a content."""
    return _digest(data)


def learn_key(path: Path, data: bytes) -> str:
    """Return the key of a content that was just read from a file, and note it.

    A file that changed a moment ago is not noted: its next change may carry the same time.
    """
    key = key_of(data)
    with contextlib.suppress(OSError):
        state = path.stat()
        is_settled = time.time() - max(state.st_mtime, state.st_ctime) > _SETTLED
        if is_settled and state.st_size == len(data):
            note = _note(path, state)
            write_whole(note, sealed(f"{key} {note.name}".encode()))
    return key


def _note(path: Path, state: os.stat_result) -> Path:
    told = (str(path), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return folder() / f"{_digest(repr(told).encode())}.key"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _evict() -> None:
    found = sorted(((stat.st_mtime, stat.st_size, path) for path, stat in _files()), reverse=True)
    total = 0
    for _, size, path in found:
        total += size
        if total > LARGEST:
            with contextlib.suppress(OSError):
                path.unlink()


def _files() -> Iterable[tuple[Path, os.stat_result]]:
    for path in folder().iterdir():
        with contextlib.suppress(OSError):
            yield path, path.stat()
