"""Shares one DuckDB file among threads and processes.

DuckDB lets one process write, and while it does, no other process opens the file, not even to
read. So processes queue for a lock file beside the database; the kernel frees it when its
holder dies, however it dies. Programs that know nothing of the queue are waited for by trying
again. Inside one process all sessions share one DuckDB instance, as DuckDB demands.

A session that only reads leaves the queue as soon as it is open: readers run side by side, and
a writer at the head of the queue waits for those that are open while later ones wait behind it.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sql import sessions
from airflow_dataops.errors import ConfigError, RetryableError
from airflow_dataops.hooks.duckdb_lock import FileQueue
from airflow_dataops.hooks.duckdb_opening import open_in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb

    from airflow_dataops.hooks.duckdb_settings import DuckDBSettings


class DuckDBFile:
    """One file in this process: at most one DuckDB instance, counted sessions, one lock.

    Use `duckdb_file` to get the one of a path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid = os.getpid()
        self._changed = threading.Condition(threading.RLock())
        self._queue = FileQueue(path)
        self._opening = False
        self._settings: DuckDBSettings | None = None
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._sessions: list[int] = []
        self._exclusive: int | None = None

    def connect(self, settings: DuckDBSettings) -> tuple[duckdb.DuckDBPyConnection, Any]:
        """Open a session; return it and the function that gives it back.

        Raises:
            ConfigError: the folder is missing, or this thread holds the file another way.
            RetryableError: the file was not free in time.
        """
        deadline = time.monotonic() + settings.lock_timeout
        me = threading.get_ident()
        with self._turn(lambda: self._welcomes(settings, me), settings, deadline):
            try:
                if self._instance is None:
                    self._open(settings, deadline)
                session = self._new_session(settings)
            except BaseException:
                self._give_back(me)
                raise
        return session, lambda: self._give_back(me)

    @contextmanager
    def exclusive(self, settings: DuckDBSettings) -> Iterator[None]:
        """Hold the file's queue with no session open, so that another program may open it.

        Raises:
            RetryableError: the file was not free in time.
        """
        deadline = time.monotonic() + settings.lock_timeout
        me = threading.get_ident()
        outermost = self._exclusive != me
        if outermost:
            with self._turn(lambda: self._is_idle(me), settings, deadline):
                self._queue.enter(deadline, settings.lock_timeout)
                self._exclusive = me
        try:
            yield
        finally:
            if outermost:
                with self._changed:
                    self._exclusive = None
                    self._queue.leave()
                    self._changed.notify_all()

    def forget(self) -> None:
        """Let go of what a forked child inherited, without touching the parent's database.

        Destroying an inherited instance crashes: its threads did not come along. So it stays
        in memory for good, and so does the lock, whose end would unlock the parent's.
        """
        for inherited in (self._instance, self._queue):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))

    @contextmanager
    def _turn(
        self, ready: Callable[[], bool], settings: DuckDBSettings, deadline: float
    ) -> Iterator[None]:
        """Be the only thread that opens or closes the file, from when `ready` on."""
        with self._changed:
            remaining = deadline - time.monotonic()
            if not self._changed.wait_for(lambda: not self._opening and ready(), remaining):
                raise RetryableError(
                    f"{self.path}: another thread of this process held the file for longer than "
                    f"{settings.lock_timeout:g} s. Close its sessions sooner, or raise the "
                    "connection's extra `lock_timeout` (seconds)."
                )
            self._opening = True
        try:
            yield
        finally:
            with self._changed:
                self._opening = False
                self._changed.notify_all()

    def _welcomes(self, settings: DuckDBSettings, me: int) -> bool:
        if self._exclusive not in (None, me):
            return False
        if self._settings is None or self._settings.instance == settings.instance:
            self._sessions.append(me)  # from here on no other thread closes the instance
            return True
        if me in self._sessions:
            raise ConfigError(
                f"{self.path}: this thread has a session open with other settings (database, "
                "config or read_only); DuckDB cannot mix them in one process. Close it first."
            )
        return False

    def _is_idle(self, me: int) -> bool:
        if me in self._sessions:
            raise ConfigError(
                f"{self.path}: this thread has a session open, so no other program can open the "
                "file. Close the session first."
            )
        return self._instance is None and self._exclusive is None

    def _open(self, settings: DuckDBSettings, deadline: float) -> None:
        queues = not settings.read_only or os.access(self.path.parent, os.W_OK)
        if queues:  # where no lock can be written, nobody writes
            self._queue.enter(deadline, settings.lock_timeout)
        try:
            self._instance = self._queue.insist(
                lambda: open_in_time(settings, deadline), deadline, settings.lock_timeout
            )
            self._settings = settings
        finally:
            if queues and (self._instance is None or settings.read_only):
                self._queue.leave()

    def _new_session(self, settings: DuckDBSettings) -> duckdb.DuckDBPyConnection:
        assert self._instance is not None  # noqa: S101 - for the type checker
        session = self._instance.cursor()
        if settings.database is not None:
            session.execute(sessions.use(settings.database))
        return session

    def _give_back(self, owner: int) -> None:
        if self._pid != os.getpid():
            return
        with self._changed:
            self._sessions.remove(owner)
            if not self._sessions:
                self._close()
            self._changed.notify_all()

    def _close(self) -> None:
        instance, settings = self._instance, self._settings
        self._instance = self._settings = None
        if instance is None or settings is None:
            return
        try:
            instance.close()
        finally:
            if not settings.read_only:
                self._queue.leave()


_files: dict[str, DuckDBFile] = {}
_files_lock = threading.Lock()


def duckdb_file(path: Path) -> DuckDBFile:
    """Return this process's one `DuckDBFile` of a path, symbolic links followed."""
    real = os.path.realpath(path)
    with _files_lock:
        if real not in _files:
            _files[real] = DuckDBFile(path)
        return _files[real]


def _start_anew_in_child() -> None:
    global _files, _files_lock
    for file in _files.values():
        file.forget()
    _files, _files_lock = {}, threading.Lock()


os.register_at_fork(after_in_child=_start_anew_in_child)
