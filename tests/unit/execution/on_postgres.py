"""dbt on a real Postgres: the project is compiled and built there for one of two databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests import read_manifest
from tests.oracle.databases import PostgresDatabase, postgres_profile
from tests.unit.execution.dbt_process import dbt_process
from tests.unit.execution.side_by_side import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from tests.unit.execution.dbt_process import Verdict


class OnPostgres:
    """A dbt project, and a database for dbt and one for engine `sql`."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.theirs, self.ours = (
            PostgresDatabase.create(side, folder) for side in ("theirs", "ours")
        )
        self._project = folder / "project"
        for name, text in {"dbt_project.yml": PROJECT, **files}.items():
            (self._project / name).parent.mkdir(parents=True, exist_ok=True)
            (self._project / name).write_text(text, encoding="utf-8")

    def compiled(self, database: PostgresDatabase) -> Manifest:
        """Return what `airflow-dataops compile` makes of the project for a database."""
        self._point_at(database)
        manifest = dbt_process().compile(self._project, self._project)
        return read_manifest(manifest, source="manifest")

    def dbt(self, database: PostgresDatabase, *arguments: str) -> dict[str, Verdict]:
        """Run a dbt command on a database."""
        self._point_at(database)
        return dbt_process().invoke(self._project, self._project, *arguments)

    def _point_at(self, database: PostgresDatabase) -> None:
        profile = postgres_profile("pair", "PAIR_DB", "main")
        named = profile.replace("{{ env_var('PAIR_DB') }}", database.value)
        (self._project / "profiles.yml").write_text(named)
