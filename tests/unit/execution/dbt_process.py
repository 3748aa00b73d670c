"""Real dbt in a process of its own, to compare with.

It takes seconds to start, so a test session shares one. dbt keeps its DuckDB file open, which
no other process may then open: whatever touches that file goes through here.
"""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

TIMEOUT = 300


@dataclass(frozen=True)
class Verdict:
    """What dbt says of one node."""

    status: str
    message: str
    failures: int | None = None
    age: float | None = None


@dataclass(frozen=True)
class Table:
    """A table's whole content; rows in no order."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]] = field(hash=False)


class DbtProcess:
    """One dbt, kept warm."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def invoke(self, project: Path, profiles: Path, *arguments: str) -> dict[str, Verdict]:
        """Run a dbt command in a project; return its verdicts by node id."""
        folders = ["--project-dir", str(project), "--profiles-dir", str(profiles)]
        return self._ask("invoke", [*arguments, *folders])

    def compile(self, project: Path, profiles: Path) -> bytes:
        """Return the manifest of `airflow-dataops compile`."""
        content: bytes = self._ask("compile", project, profiles)
        return content

    def execute(self, file: Path, statements: Sequence[str]) -> None:
        """Run statements in a DuckDB file."""
        self._ask("execute", str(file), list(statements))

    def table(self, file: Path, name: str) -> Table:
        """Return the content of a table; `name` is SQL."""
        return self._ask("table", str(file), name)

    def close(self) -> None:
        self._pipe.close()
        self._process.join(10)

    def _ask(self, *request: Any) -> Any:
        self._pipe.send(request)
        if not self._pipe.poll(TIMEOUT):
            raise TimeoutError(f"dbt took longer than {TIMEOUT} s")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@functools.cache
def dbt_process() -> DbtProcess:
    """Return the session's dbt; the first call starts it."""
    process = DbtProcess()
    atexit.register(process.close)
    return process


def read_table(connection: duckdb.DuckDBPyConnection, name: str) -> Table:
    """Return the content of a table; `name` is SQL."""
    described = connection.execute(f"describe {name}").fetchall()
    return Table(
        columns=tuple((row[0], row[1]) for row in described),
        rows=connection.execute(f"from {name}").fetchall(),
    )


def _serve(pipe: Connection) -> None:
    os.environ.update(DO_NOT_TRACK="1", DBT_SEND_ANONYMOUS_USAGE_STATS="False")
    handlers = {"invoke": _invoke, "compile": _compile, "execute": _execute, "table": _table}
    while True:
        try:
            verb, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(handlers[verb](*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _invoke(arguments: list[str]) -> dict[str, Verdict]:
    from dbt.cli.main import dbtRunner

    quiet = ["--quiet", "--log-level", "none", "--log-level-file", "none"]
    outcome = dbtRunner().invoke([*quiet, *arguments])
    if outcome.exception is not None:
        raise outcome.exception
    # `dbt parse` gives a manifest and `dbt source freshness` its results in an attribute.
    results = getattr(outcome.result, "results", outcome.result)
    if not hasattr(results, "__iter__"):
        return {}
    return {
        result.node.unique_id: Verdict(
            status=str(result.status),
            message=result.message or "",
            failures=result.failures,
            age=getattr(result, "age", None),
        )
        for result in results
    }


def _compile(project: Path, profiles: Path) -> bytes:
    from airflow_dataops.cli.compile import compile_project

    output = profiles / "compiled.json"
    compile_project(project, output=output, profiles_dir=profiles)
    return output.read_bytes()


def _execute(file: str, statements: list[str]) -> None:
    with duckdb.connect(file) as connection:
        for statement in statements:
            connection.execute(statement)


def _table(file: str, name: str) -> Table:
    with duckdb.connect(file) as connection:
        return read_table(connection, name)
