"""Opens a DuckDB database, and does not wait for ever.

DuckDB knows one instance of a file in a process. While something of an earlier one is still held,
such as an Arrow stream that nobody closed, `duckdb.connect` waits for its end, busily and without
a bound.
"""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

from airflow_dataops.core.sql import sessions
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    import duckdb

    from airflow_dataops.hooks.duckdb_settings import DuckDBSettings

_MOMENT = 1.0
_LONGEST = 120.0
"""So long opening a file may take, seconds; a write-ahead log is read meanwhile."""


def open_in_time(settings: DuckDBSettings, deadline: float) -> duckdb.DuckDBPyConnection:
    """Open a database by a deadline (`time.monotonic`), or two minutes from now at most.

    Raises:
        RetryableError: this process still holds something of the file, or opening it takes long.
    """
    opening = _Opening(settings)
    seconds = min(max(deadline - time.monotonic(), _MOMENT), _LONGEST)
    try:
        if not opening.ended.wait(_MOMENT):
            gc.collect()  # what is only held by an error that is over
            opening.ended.wait(seconds - _MOMENT)
    except BaseException:  # a signal
        opening.give_up()
        raise
    if opening.give_up():
        raise RetryableError(
            f"{settings.target} did not open within {seconds:g} s: this process still holds an "
            "Arrow stream or a result of an earlier session on it, or DuckDB reads a long "
            "write-ahead log. Close every reader (`reader.close()`); run the task again."
        )
    return opening.result()


def open_instance(settings: DuckDBSettings) -> duckdb.DuckDBPyConnection:
    """Open DuckDB itself: a file or a database in memory."""
    import duckdb

    config = dict(settings.config)
    if settings.database is None:
        read_only = settings.read_only and settings.path is not None
        return duckdb.connect(settings.target, read_only=read_only, config=config)
    instance = duckdb.connect(config=config)
    try:
        attach = sessions.attach(settings.target, settings.database, read_only=settings.read_only)
        instance.execute(attach)
    except BaseException:
        instance.close()
        raise
    return instance


class _Opening:
    """An opening under way, in a thread of its own; one that is given up closes what it opened."""

    def __init__(self, settings: DuckDBSettings) -> None:
        self.ended = threading.Event()
        self._settings = settings
        self._guard = threading.Lock()
        self._is_given_up = False
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._open, daemon=True, name="duckdb-opening").start()

    def give_up(self) -> bool:
        """Stop waiting; return False where it has just ended."""
        with self._guard:
            self._is_given_up = not self.ended.is_set()
            return self._is_given_up

    def result(self) -> duckdb.DuckDBPyConnection:
        """Return what was opened, or raise what was raised."""
        if self._error is not None:
            raise self._error
        assert self._instance is not None  # noqa: S101 - for the type checker
        return self._instance

    def _open(self) -> None:
        try:
            instance = open_instance(self._settings)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
            self._error = error
        else:
            self._instance = instance
        with self._guard:
            if self._is_given_up and self._instance is not None:
                self._instance.close()
            self.ended.set()
