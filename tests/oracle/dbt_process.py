"""dbt in this process, on one database."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.databases import Database
    from tests.oracle.projects import OracleProject

Outcomes = dict[str, tuple[str, int | None]]
"""Status and, of a test that did not pass, number of failures, by unique id."""


class Dbt:
    """Runs dbt commands of a project; what dbt writes goes into a folder of one's own."""

    def __init__(
        self,
        project: OracleProject,
        directory: Path,
        database: Database,
        folder: Path,
        options: tuple[str, ...] = (),
    ) -> None:
        """`options` are given to every command."""
        self._options = options
        self._project = project
        self._directory = directory
        self._database = database
        self._target = folder / "target"

    def build(self, *options: str) -> Outcomes:
        """Run `dbt build` and return how every node ended."""
        self._invoke("build", *options)
        return {
            result["unique_id"]: (result["status"], failures(result["status"], result["failures"]))
            for result in self._results("run_results.json")
        }

    def invocation(self) -> str:
        """Return the `invocation_id` of the last build."""
        written = json.loads((self._target / "run_results.json").read_bytes())
        id_: str = written["metadata"]["invocation_id"]
        return id_

    def freshness(self) -> dict[str, str]:
        """Run `dbt source freshness` and return the status of each source."""
        self._invoke("source", "freshness")
        return {result["unique_id"]: result["status"] for result in self._results("sources.json")}

    def _results(self, name: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = json.loads((self._target / name).read_bytes())["results"]
        return results

    def _invoke(self, *command: str) -> None:
        from dbt.cli.main import dbtRunner

        directory = str(self._directory)
        options = {"--project-dir": directory, "--profiles-dir": directory}
        options |= {"--target-path": str(self._target), "--log-path": str(self._target)}
        flat = [part for pair in options.items() for part in pair]
        with environment(self._project.variable, self._database.value):
            result = dbtRunner().invoke(
                [*command, *self._options, *flat, "--quiet", "--log-level", "none"]
            )
        if result.exception is not None:
            raise result.exception


def failures(status: str, count: int | None) -> int | None:
    """Return the failures to compare: dbt reports none for a pass, whatever it counted."""
    return count if status in ("warn", "fail") else None


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
