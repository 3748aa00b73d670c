"""Processes that use one DuckDB file through the hook, each started afresh as a task is.

`python duckdb_processes.py VERB ...`; the connection is `AIRFLOW_CONN_WAREHOUSE`.
"""

# ruff: noqa: T201 - it talks through its pipes
from __future__ import annotations

import logging
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def start(verb: str, *arguments: object) -> subprocess.Popen[str]:
    """Start one; talk to it through its pipes."""
    return subprocess.Popen(
        [sys.executable, __file__, verb, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    verb, *arguments = sys.argv[1:]
    {
        "hammer": lambda: hammer(float(arguments[0])),
        "hold": hold,
        "hold_outside": lambda: hold_outside(arguments[0], float(arguments[1])),
        "read_slowly": read_slowly,
        "exclusive": exclusive,
    }[verb]()
