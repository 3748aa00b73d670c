"""A manifest -> its DAGs, split as asked for, each with the file that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.codegen.dag_files import DagFile
from airflow_dataops.dag_factory.dbt import build_dag, settle_start
from airflow_dataops.errors import ConfigError, DataOpsError
from airflow_dataops.planning.arguments import split_arguments
from airflow_dataops.planning.manifest import plan_project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow.sdk import DAG

    from airflow_dataops.planning.manifest import Planned


def airflow_files(
    manifest: Path,
    conn_id: str,
    *,
    prefix: str,
    split_by: str,
    arguments: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return the files of a manifest's DAGs by name: one for each part, and the manifest.

    Args:
        manifest: what dbt or `airflow-dataops compile` wrote.
        conn_id: the Airflow connection of the warehouse.
        prefix: what names of files and ids of DAGs begin with.
        split_by: what a part is; `none` for one DAG, which is called as the prefix.
        arguments: what else `dbt_dag` takes.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: a value has no form in a file, or an argument is wrong.
    """
    made = manifest_dags(manifest, conn_id, prefix, split_by, arguments or {})
    if not any(dag.tasks for _, dag in made):
        raise ConfigError(f"{manifest} has nothing that runs, so there is no DAG to generate")
    copy = manifest_name(prefix)
    files = {copy: read_regular(manifest)}
    for planned, dag in made:
        files[f"{dag.dag_id}.py"] = DagFile(dag, planned, copy).text().encode()
    return files


def manifest_name(prefix: str) -> str:
    """Return the name of the manifest beside the files of a prefix."""
    return f"{prefix}_manifest.json"


def check_same_project(manifest: Path, place: Path) -> None:
    """Refuse to put a project in the place of another one's.

    Raises:
        ConfigError: the manifest at the place is of another project, or cannot be read.
    """
    if not place.exists():
        return
    try:
        known = open_manifest(place).project().name
    except DataOpsError as error:
        raise ConfigError(f"{place} is in the way: {error}; delete it or use --force") from error
    if known != (name := open_manifest(manifest).project().name):
        raise ConfigError(
            f"{place} is of the project {known!r}, not of {name!r}; choose another --prefix or "
            "--output-dir, or use --force"
        )


def manifest_dags(
    manifest: Path, conn_id: str, prefix: str, split_by: str, arguments: Mapping[str, Any]
) -> list[tuple[Planned, DAG]]:
    """Return the plans of a manifest and their DAGs, under the ids of their files."""
    planning, of_dag = split_arguments(dict(arguments))
    settle_start(planning, of_dag)
    has_schedule = "schedule" in of_dag
    parts = plan_project(
        manifest, conn_id, planning, {"split_by": split_by}, has_schedule=has_schedule
    )
    if "manifest" in parts.parts:
        raise ConfigError(f"a part is called 'manifest', as the file {prefix}_manifest is")
    found = []
    for at, part in enumerate(parts.parts):
        planned = parts.planned(at)
        dag_id = f"{prefix}_{part}" if part else prefix
        found.append((planned, build_dag(planned, dag_id, of_dag)))
    return found
