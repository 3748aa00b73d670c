"""Processes that use one DuckDB file through the hook, each forked from one that is warm.

As a worker's tasks are; starting Python and importing Airflow anew takes seconds. They talk
through a socket, which is their standard input and output.
"""

# ruff: noqa: T201 - it talks through its pipes
from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection


class Started:
    """A process that does one of `VERBS` in this process's environment."""

    def __init__(self, verb: str, *arguments: object) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["airflow_dataops.hooks.duckdb", "duckdb", __name__])
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_main, args=(theirs, dict(os.environ), verb, arguments), daemon=True
        )
        self._process.start()
        theirs.close()
        self._socket = socket.socket(fileno=os.dup(ours.fileno()))
        ours.close()
        self._lines = self._socket.makefile("r")

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def readline(self) -> str:
        """Wait for it to say something; nothing when it ended."""
        return self._lines.readline().strip()

    def end(self) -> tuple[str, int | None]:
        """Close its input, wait for its end; return what it said since, and its exit code."""
        self._socket.shutdown(socket.SHUT_WR)
        said = self._lines.read()
        self._process.join()
        self._lines.close()
        self._socket.close()
        return said, self._process.exitcode

    def is_running(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()

    def wait(self) -> None:
        self._process.join()


def _main(
    connection: Connection, environment: Mapping[str, str], verb: str, arguments: tuple[object, ...]
) -> None:
    """Do it; what goes wrong is told on the standard error that all share."""
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = os.fdopen(os.dup(connection.fileno()))
    sys.stdout = os.fdopen(connection.fileno(), "w", buffering=1)
    VERBS[verb](*arguments)


def hammer(seconds: float) -> None:
    """Add one to a counter, in a transaction of two statements, as often as time allows."""
    from airflow_dataops.hooks.duckdb import DuckDBHook

    hook = DuckDBHook("warehouse", log_sql=False)
    done, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        with closing(hook.get_conn()) as connection:
            cursor = connection.cursor()
            cursor.execute("select n from counter")
            row = cursor.fetchone()
            assert row is not None
            cursor.execute("update counter set n = ?", [row[0] + 1])
            connection.commit()
        done += 1
    print(done, flush=True)


def hold() -> None:
    """Open the file, write without a commit, and stay until the pipe closes."""
    from airflow_dataops.hooks.duckdb import DuckDBHook

    with closing(DuckDBHook("warehouse").get_conn()) as connection:
        connection.cursor().execute("update counter set n = n + 1000")
        print("holding", flush=True)
        sys.stdin.read()


def hold_outside(path: str, seconds: float) -> None:
    """Open the file as a program does that knows nothing of the queue."""
    import duckdb

    with duckdb.connect(path):
        print("holding", flush=True)
        time.sleep(seconds)


def read_slowly() -> None:
    """Hold a session (the connection says that it only reads) until the pipe closes."""
    from airflow_dataops.hooks.duckdb import DuckDBHook

    with closing(DuckDBHook("warehouse").get_conn()) as connection:
        cursor = connection.cursor()
        cursor.execute("select n from counter")
        print(cursor.fetchall()[0][0], flush=True)
        sys.stdin.read()


def exclusive() -> None:
    """Hold the queue until the pipe closes, with the file itself shut."""
    from airflow_dataops.hooks.duckdb import DuckDBHook

    with DuckDBHook("warehouse").exclusive():
        print("holding", flush=True)
        sys.stdin.read()


VERBS = {
    "hammer": hammer,
    "hold": hold,
    "hold_outside": hold_outside,
    "read_slowly": read_slowly,
    "exclusive": exclusive,
}
