"""Work on a DuckDB file that is killed before a statement, or before the commit.

In this process the kill is an exception that nothing catches, after which the session does
nothing any more; by SIGKILL, a process of its own waits there to be killed.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.duckdb_runner import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner

ROOT = Path(__file__).parents[3]


class Killed(BaseException):
    """The work was killed in this process."""


class Stopping:
    """Stops before the statement or commit that is counted by `stop_at`, from 0; for good."""

    def __init__(self, runner: SqlRunner, stop_at: int, stop: Callable[[], None]) -> None:
        self._runner, self._left, self._stop = runner, stop_at, stop
        self._stopped = False
        self.dialect, self.placeholder = runner.dialect, runner.placeholder

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._pass()
        return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self._stopped:
            self._stop()
        return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            yield
            self._pass()

    def _pass(self) -> None:
        if self._left == 0:
            self._stopped = True
            self._stop()
        self._left -= 1


def kill_here(module: str, what: str, path: Path, stop_at: int) -> bool:
    """Kill the work `WORK[what]` of a module in this process; say whether it came so far."""
    work = import_module(module).WORK[what]
    with open_duckdb(str(path)) as runner:
        try:
            work(Stopping(runner, stop_at, _raise))
        except Killed:
            return True
    return False


def kill_by_signal(module: str, what: str, path: Path, stop_at: int) -> bool:
    """The same in a process of its own, by SIGKILL."""
    call = f"from {__name__} import serve; serve({module!r}, {what!r}, {str(path)!r}, {stop_at})"
    process = subprocess.Popen(
        [sys.executable, "-c", call],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    process.kill()
    process.communicate()
    assert said in ("waiting", "done")
    return said == "waiting"


KILLS = pytest.mark.parametrize(
    "kill", [kill_here, pytest.param(kill_by_signal, marks=pytest.mark.slow)]
)


def serve(module: str, what: str, path: str, stop_at: int) -> None:
    """Do the work in this process, wait there to be killed, and say so before."""
    work = import_module(module).WORK[what]
    with open_duckdb(path) as runner:
        work(Stopping(runner, stop_at, _wait))
    _say("done")


def _raise() -> None:
    raise Killed


def _wait() -> None:
    _say("waiting")
    sys.stdin.read()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
