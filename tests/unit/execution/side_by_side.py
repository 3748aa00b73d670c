"""One dbt project and two warehouses: dbt fills one, engine `sql` the other.

What dbt answers and leaves is recorded. Each answer hangs on all that was done before.
"""

from __future__ import annotations

from dataclasses import astuple
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from airflow_dataops.core.manifests import read_manifest
from tests.duckdb_runner import DuckDBRunner
from tests.oracle.recording import Way, files_of, lasting
from tests.unit.execution.dbt_process import Table, Verdict, dbt_process, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner
    from tests.oracle.recording import Recording

_T = TypeVar("_T")

PROJECT = "name: pair\nversion: '1.0'\nprofile: pair\n"
PROFILES = """
pair:
  target: dev
  outputs:
    dev: {{type: duckdb, path: "{path}", schema: main, threads: 1}}
"""


class SideBySide:
    """The two warehouses; both files have one name, as compiled SQL holds it."""

    def __init__(self, folder: Path, files: Mapping[str, str], recording: Recording) -> None:
        self.project = folder / "project"
        self._recording = recording
        self._done: list[object] = []
        self._manifest = b""
        self._theirs, ours = folder / "dbt" / "wh.duckdb", folder / "ours" / "wh.duckdb"
        for file in (self._theirs, ours):
            file.parent.mkdir(parents=True)
        # To open a file takes as long as ten statements: it stays open.
        self._runner = DuckDBRunner(duckdb.connect(str(ours)))
        for name, text in {"dbt_project.yml": PROJECT, **files}.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        self._profiles = folder / "profiles"
        self._profiles.mkdir()
        profiles = PROFILES.format(path=self._theirs)
        (self._profiles / "profiles.yml").write_text(profiles, encoding="utf-8")

    def execute(self, *statements: str) -> None:
        """Do the same to both."""
        self._done.append(statements)
        if self._recording.way is not Way.READ:
            dbt_process().execute(self._theirs, statements)
        for statement in statements:
            self._runner.execute(statement)

    def dbt(
        self, *arguments: str, form: Callable[[Verdict], Verdict] = lambda verdict: verdict
    ) -> dict[str, Verdict]:
        """Run a dbt command on dbt's.

        Args:
            form: leaves out of a verdict what the clock has put there.
        """
        self._done.append([arguments, files_of(self.project)])

        def ask() -> tuple[dict[str, tuple[Any, ...]], str]:
            found = dbt_process().invoke(self.project, self._profiles, *arguments)
            manifest = (self.project / "target" / "manifest.json").read_bytes()
            verdicts = {id_: astuple(form(verdict)) for id_, verdict in found.items()}
            return verdicts, lasting(manifest, self.project)

        verdicts, manifest = self._recording.answer(self._done, ask)
        self._manifest = manifest.encode()
        return {id_: Verdict(*verdict) for id_, verdict in verdicts.items()}

    def manifest(self) -> Manifest:
        """Return what dbt's last command left, read by us."""
        return _read(self._manifest)

    def compiled(self) -> Manifest:
        """Return what `airflow-dataops compile` makes of the project."""

        def ask() -> str:
            return dbt_process().compile(self.project, self._profiles).decode()

        question = [*self._done, "compiled", files_of(self.project)]
        return _read(self._recording.answer(question, ask).encode())

    def ours(self, work: Callable[[SqlRunner], _T]) -> _T:
        """Do something in ours."""
        return work(self._runner)

    def tables(
        self, name: str, form: Callable[[Table], Table] = lambda table: table
    ) -> tuple[Table, Table]:
        """Return dbt's table and ours.

        Args:
            name: SQL.
            form: what is compared of them, without what the clock has put there.
        """

        def ask() -> tuple[Any, ...]:
            return astuple(form(dbt_process().table(self._theirs, name)))

        theirs = Table(*self._recording.answer([*self._done, name], ask))
        return theirs, form(read_table(self._runner.connection, name))


@lru_cache(maxsize=1)
def _read(manifest: bytes) -> Manifest:
    return read_manifest(manifest, source="manifest.json")
