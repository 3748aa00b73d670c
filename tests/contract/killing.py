"""Loads in processes that kill themselves at a statement boundary.

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


class CountingRunner:
    """Counts statements, BEGIN and COMMIT among them; kills its process after number `last`.

    Number 0 is before the first.
    """

    def __init__(self, runner: SqlRunner, last: int | None = None) -> None:
        self._runner = runner
        self._last = last
        self.count = 0
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder
        self._die_if_last()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        result = self._runner.execute(sql, parameters)
        self._passed()
        return result

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        result = self._runner.fetch(sql, parameters)
        self._passed()
        return result

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._runner.transaction():
            self._passed()
            yield
        self._passed()

    def _passed(self) -> None:
        self.count += 1
        self._die_if_last()

    def _die_if_last(self) -> None:
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


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


def _child(engine: str, where: str, schema: str, scenario: str, last: int) -> None:
    open_ = open_duckdb if engine == "duckdb" else open_postgres
    with open_(where) as runner:
        SCENARIOS[scenario].run(CountingRunner(runner, last), schema, FIRST)


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
    serve(_child)
