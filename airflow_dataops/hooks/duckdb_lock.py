"""The queue for a DuckDB file: a lock file, and patience with who does not queue."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from airflow_dataops.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from filelock import BaseFileLock
    from tenacity import RetryCallState

    T = TypeVar("T")

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


class FileQueue:
    """Where processes wait for one DuckDB file.

    Two locks: `.lock` is held while the file is in use, `.next` by the one process that may try
    for it. So a process that comes back at once does not overtake those that wait.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Entered by one thread and left by another, so not thread-local.
        self._lock = FileLock(f"{path}.lock", thread_local=False)
        self._next = FileLock(f"{path}.next", thread_local=False)

    def enter(self, deadline: float, patience: float) -> None:
        """Wait for the lock until `deadline` (`time.monotonic`); may be entered repeatedly.

        Raises:
            ConfigError: the folder does not exist or cannot be written to.
            RetryableError: it was not free in time. `patience` is the wait to report, seconds.
        """
        self._check_folder()
        started = time.monotonic()
        if self._pass(started):
            return
        log.info("Waiting up to %g s for %s%s", patience, self.path, self._holder())
        if not self._pass(deadline):
            raise RetryableError(self._busy(patience, self._holder()))
        log.info("Got %s after %.1f s", self.path, time.monotonic() - started)

    def leave(self) -> None:
        """Give the lock back once for each time it was entered."""
        self._lock.release()

    def insist(self, open_: Callable[[], T], deadline: float, patience: float) -> T:
        """Call `open_` until no program outside of the queue holds the file.

        Raises:
            RetryableError: it was still held at `deadline`.
        """
        import duckdb

        attempts = Retrying(
            stop=stop_after_delay(max(0.0, deadline - time.monotonic())),
            wait=wait_random_exponential(multiplier=0.05, max=_LONGEST_PAUSE_SECONDS),
            retry=retry_if_exception(is_held_elsewhere),
            before_sleep=self._say_held,
            reraise=True,
        )
        try:
            return attempts(open_)
        except duckdb.IOException as error:
            if not is_held_elsewhere(error):
                raise
            raise RetryableError(self._busy(patience, f". DuckDB says: {error}")) from None

    def _pass(self, deadline: float) -> bool:
        if self._lock.is_locked:
            return self._try(self._lock, deadline)
        if not self._try(self._next, deadline):
            return False
        try:
            return self._try(self._lock, deadline)
        finally:
            self._next.release()

    def _try(self, lock: BaseFileLock, deadline: float) -> bool:
        seconds = max(0.0, deadline - time.monotonic())
        try:
            lock.acquire(timeout=seconds, poll_interval=_POLL_SECONDS)
        except Timeout:
            return False
        except PermissionError as error:
            raise ConfigError(
                f"{self.path}: cannot write {error.filename} beside it ({error.strerror}). "
                "Give the user that runs Airflow write access to the folder."
            ) from error
        return True

    def _say_held(self, state: RetryCallState) -> None:
        if state.attempt_number == 1:
            log.info("Waiting for %s, which a program outside of Airflow's queue holds", self.path)

    def _check_folder(self) -> None:
        folder = self.path.parent
        if self.path.is_dir():
            raise ConfigError(f"{self.path} is a folder; name a DuckDB file in the connection.")
        if not folder.is_dir():
            raise ConfigError(
                f"{self.path}: the folder {folder} does not exist. Make it, or mend the "
                "connection's host (a relative path starts at AIRFLOW_HOME)."
            )

    def _holder(self) -> str:
        pid = holder_of(Path(self._lock.lock_file))
        return f", held by process {pid}" if pid is not None else ""

    def _busy(self, patience: float, holder: str) -> str:
        return (
            f"{self.path} was not free within {patience:g} s{holder}. DuckDB lets one process "
            "write at a time: stop the program that holds the file, shorten the tasks ahead, or "
            "raise the connection's extra `lock_timeout` (seconds); then run the task again."
        )


def is_held_elsewhere(error: BaseException) -> bool:
    """Tell whether DuckDB could not open a file because another process has it open."""
    import duckdb

    return isinstance(error, duckdb.IOException) and "set lock on file" in str(error)


def holder_of(lock_file: Path) -> int | None:
    """Return the process that holds a lock file, where the kernel tells (`/proc/locks`)."""
    try:
        inode = lock_file.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()  # 1: FLOCK ADVISORY WRITE 4711 08:01:1234 0 EOF
        if "->" not in words and words[5].rpartition(":")[2] == str(inode):
            pid = int(words[4])
            return pid if pid > 0 and pid != os.getpid() else None
    return None
