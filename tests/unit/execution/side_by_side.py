"""One dbt project and two warehouses: dbt fills one, engine `sql` the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_dataops.core.manifests import read_manifest
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.dbt_process import Table, Verdict, dbt_process, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner

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

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.project = folder / "project"
        self._theirs, self._ours = folder / "dbt" / "wh.duckdb", folder / "ours" / "wh.duckdb"
        for file in (self._theirs, self._ours):
            file.parent.mkdir(parents=True)
        texts = {
            "dbt_project.yml": PROJECT,
            "profiles.yml": PROFILES.format(path=self._theirs),
            **files,
        }
        for name, text in texts.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")

    def execute(self, *statements: str) -> None:
        """Do the same to both."""
        dbt_process().execute(self._theirs, statements)
        with open_duckdb(str(self._ours)) as runner:
            for statement in statements:
                runner.execute(statement)

    def dbt(self, *arguments: str) -> dict[str, Verdict]:
        """Run a dbt command on dbt's."""
        return dbt_process().invoke(self.project, *arguments)

    def manifest(self) -> Manifest:
        """Return what dbt's last command left, read by us."""
        path = self.project / "target" / "manifest.json"
        return read_manifest(path.read_bytes(), source="manifest.json")

    def ours(self, work: Callable[[SqlRunner], _T]) -> _T:
        """Do something in ours."""
        with open_duckdb(str(self._ours)) as runner:
            return work(runner)

    def tables(self, name: str) -> tuple[Table, Table]:
        """Return dbt's table and ours; `name` is SQL."""
        theirs = dbt_process().table(self._theirs, name)
        with open_duckdb(str(self._ours)) as runner:
            return theirs, read_table(runner.connection, name)
