"""Loads that are killed at a statement boundary, in this process or with their own.

In this process a kill is an exception that nothing catches, after which the session does nothing
any more: what the load would tidy up is left, and the database sees the session close. What only
the death of a process shows (files that nobody closed) is left to the slow tests.

`python -m tests.contract.killing` is a nursery: it reads one JSON object a line, forks a child
that runs the load it describes, and answers with the child's exit status. The child opens the
only connection; the nursery has none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.specs import Attempt
from tests.contract.scenarios import SCENARIOS
from tests.duckdb_runner import open_duckdb
from tests.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner

FIRST = Attempt(owner="shop.target", run_id="monday", try_number=1)


class Killed(BaseException):
    """The load was killed in this process."""


def by_signal() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def by_exception() -> None:
    raise Killed


class CountingRunner:
    """Counts statements, BEGIN and COMMIT among them; dies after number `last`.

    Number 0 is before the first.
    """

    def __init__(
        self, runner: SqlRunner, last: int | None = None, die: Callable[[], None] = by_signal
    ) -> None:
        self._runner = runner
        self._last = last
        self._die = die
        self.count = 0
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder
        self._die_if_last()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._die_if_dead()
        result = self._runner.execute(sql, parameters)
        self._passed()
        return result

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._die_if_dead()
        result = self._runner.fetch(sql, parameters)
        self._passed()
        return result

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._die_if_dead()
        with self._runner.transaction():
            self._passed()
            yield
        self._passed()

    def _passed(self) -> None:
        self.count += 1
        self._die_if_last()

    def _die_if_last(self) -> None:
        if self.count == self._last:
            self._die()

    def _die_if_dead(self) -> None:
        if self._last is not None and self.count >= self._last:
            raise Killed


class Nursery:
    """The process that forks those that die.

    Args:
        module: what it runs; it calls `serve`.
    """

    def __init__(self, module: str = "tests.contract.killing") -> None:
        self._module = module

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(timeout=60)

    def run(self, *arguments: Any) -> int:
        """Run a load in a child; return the signal that ended it, 0 if it came to its end.

        Args:
            arguments: what the child's function takes, as JSON carries it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def load(
    engine: str,
    where: str,
    schema: str,
    scenario: str,
    last: int,
    die: Callable[[], None] = by_signal,
) -> None:
    """Run a load that dies."""
    open_ = open_duckdb if engine == "duckdb" else open_postgres
    with open_(where) as runner:
        SCENARIOS[scenario].run(CountingRunner(runner, last, die), schema, FIRST)


def in_process(run: Callable[..., object]) -> Callable[..., int]:
    """Return what `Nursery.run` is, without a process; `run` takes a last argument `die`."""

    def runs(*arguments: Any) -> int:
        try:
            run(*arguments, by_exception)
        except Killed:
            return signal.SIGKILL
        return 0

    return runs


def serve(run: Callable[..., None]) -> None:
    """Run a function in a child for each line of arguments."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                run(*json.loads(line))
                status = 0
            except Exception:  # noqa: BLE001 - the child ends here, and says why
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(load)
