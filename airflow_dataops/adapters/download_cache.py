"""Where the copies of one remote file lie on this host, and what is known about them.

downloads/<slug>-<id>-<content>.json   a copy; its name tells its content, so it never changes
downloads/<id>.state                   which copy is the newest, and when that was found out
downloads/<id>.lock                    held by the process that downloads
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.addresses import slug
from airflow_dataops.adapters.local_files import read_regular, sealed, unsealed
from airflow_dataops.adapters.record_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG_AGO = 24 * 3600.0
"""Seconds after which no process reads a copy any more that a newer one replaced."""
_POLL = 0.05
_COPY = re.compile(r"[^/]*-(?P<id>[0-9a-f]{16})-(?P<content>[0-9a-f]{16})\.json")
_LARGEST_STATE = 1 << 24


class DownloadState(msgspec.Struct, frozen=True):
    """What is known of a remote file. Times are seconds since the epoch.

    Attributes:
        copy: file name of the newest good copy; empty for none.
        validator: what the origin told of that copy.
        checked: when the origin was last asked.
        good: when the origin last told that the copy is the newest.
        failure: why the last request failed; empty when it did not.
    """

    copy: str = ""
    validator: str = ""
    checked: float = 0.0
    good: float = 0.0
    failure: str = ""


class DownloadCache:
    """The copies of one remote file.

    Args:
        identity: tells one remote file from another; only its hash is kept.
        uri: a name that reminds of it.
    """

    def __init__(self, identity: str, uri: str) -> None:
        self.folder = cache.folder().parent / "downloads"
        self._id = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._slug = slug(uri)

    def read(self) -> DownloadState:
        """Return what is known; nothing when that, or the copy, is gone or was damaged."""
        try:
            told = unsealed(read_regular(self._state, _LARGEST_STATE))
            state = msgspec.json.decode(told or b"", type=DownloadState)
        except (OSError, msgspec.MsgspecError):
            return DownloadState()
        return state if not state.copy or self._is_whole(state.copy) else DownloadState()

    def _is_whole(self, copy: str) -> bool:
        """Tell whether a copy is one of this file, with the content that its name tells."""
        kept = _COPY.fullmatch(copy)
        if kept is None or kept["id"] != self._id:
            return False
        try:
            path = self.folder / copy
            key = cache.known_key(path) or cache.learn_key(path, read_regular(path))
        except OSError:
            return False
        return key.startswith(kept["content"])

    def write(self, state: DownloadState) -> None:
        """Keep what is known."""
        write_whole(self._state, sealed(msgspec.json.encode(state)))

    @contextmanager
    def scratch(self) -> Iterator[IO[bytes]]:
        """Open a file to download into; it is gone afterwards unless it was kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
            try:
                yield file
            finally:
                with contextlib.suppress(OSError):
                    Path(file.name).unlink()

    def keep(self, file: IO[bytes]) -> str:
        """Make a download a copy; return its name. A process that reads sees all of it or none."""
        file.flush()
        file.seek(0)
        content = hashlib.sha256()
        while piece := file.read(1 << 20):
            content.update(piece)
        name = f"{self._slug}-{self._id}-{content.hexdigest()[:16]}.json"
        Path(file.name).replace(self.folder / name)
        return name

    @contextmanager
    def locked(self, patience: float) -> Iterator[bool]:
        """Be the only process that downloads; False when another one still is after `patience` s.

        The lock goes with its process, however that ends.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / f"{self._id}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(lock, "wb") as file:
            until = time.monotonic() + patience
            is_ours = _try_lock(file)
            while not is_ours and time.monotonic() < until:
                time.sleep(_POLL)
                is_ours = _try_lock(file)
            yield is_ours

    def evict(self, name: str, largest: int) -> None:
        """Drop what is too old or too much, but never the copy `name`."""
        total = 0
        for used, size, path in sorted(self._copies(name), reverse=True):
            total += size
            is_replaced = f"-{self._id}-" in path.name and time.time() - used > _LONG_AGO
            if path.name != name and (total > largest or is_replaced):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _copies(self, newest: str) -> Iterator[tuple[float, int, Path]]:
        """Yield each copy with the time of its last use; drop what dead processes left."""
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                stat = path.stat()
                if kept := _COPY.fullmatch(path.name):
                    id_ = kept["id"]
                    is_replaced = id_ == self._id and path.name != newest
                    state = path if is_replaced else self.folder / f"{id_}.state"
                    yield state.stat().st_mtime, stat.st_size, path
                elif path.suffix == ".part" and time.time() - stat.st_mtime > _LONG_AGO:
                    path.unlink()

    @property
    def _state(self) -> Path:
        return self.folder / f"{self._id}.state"


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
