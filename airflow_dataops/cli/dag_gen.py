"""`airflow-dag-gen`: DAG files of a project, to be read, changed and kept in git."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from airflow_dataops.cli.health_files import run_app
from airflow_dataops.errors import ConfigError, printable

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


class ProjectType(StrEnum):
    """Whose project it is."""

    DBT = "dbt"


class Schedule(StrEnum):
    """How often the DAGs start that wait for no other."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


STALE = 1


@app.command()
def airflow_dag_gen(
    project_type: Annotated[
        ProjectType, typer.Option(help="Whose project it is.")
    ] = ProjectType.DBT,
    manifest_path: Annotated[
        Path | None, typer.Option(help="What dbt or `airflow-dataops compile` wrote.")
    ] = None,
    project_path: Annotated[
        Path | None, typer.Option(help="A dbt project, compiled first; dbt must be installed.")
    ] = None,
    output_dir: Annotated[Path, typer.Option(help="Where the files go.")] = Path("dags"),
    schedule: Annotated[
        Schedule | None, typer.Option(help="Instead of what the project's metadata asks for.")
    ] = None,
    conn_id: Annotated[
        str, typer.Option(help="The Airflow connection of the warehouse.")
    ] = "warehouse",
    split_by: Annotated[
        str, typer.Option(help="A file per layer, schedule, tag, owner, folder, domain; or none.")
    ] = "layer",
    prefix: Annotated[
        str | None, typer.Option(help="What files and DAGs are called; the project's type.")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Nodes, as in dbt.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Nodes to leave out.")] = None,
    dbt_project_dir: Annotated[
        str | None,
        typer.Option(help="Where workers find the project, for nodes that only dbt can run."),
    ] = None,
    dbt_profile: Annotated[
        str | None, typer.Option(help="dbt's profile for them; the project's own by default.")
    ] = None,
    dbt_target: Annotated[str | None, typer.Option(help="dbt's target for them.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="For CI: write nothing, exit 1 when files are stale.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite edits outside of the kept regions.")
    ] = False,
) -> None:
    """Write one DAG file for each layer of a project, and the manifest beside them.

    The files build the same tasks and edges as `load_dags` does. What is between
    `# region keep` and `# endregion keep` in a file stays when it is generated again.

    Exits 0 when all is written (or up to date), 1 on an error or with --check and stale files, 2
    when it was misused.
    """
    from airflow_dataops.codegen.airflow_project import (
        airflow_files,
        check_same_project,
        manifest_name,
    )
    from airflow_dataops.codegen.folder import apply, changes

    named = _checked_prefix(prefix or project_type.value)
    arguments: dict[str, Any] = {"select": select or None, "exclude": exclude or None}
    if schedule is not None:
        arguments["schedule"] = f"@{schedule}"
    manifest = _manifest(manifest_path, project_path)
    if dbt_project_dir is not None:
        arguments["dbt"] = _dbt(dbt_project_dir, dbt_profile, dbt_target)
    elif dbt_profile or dbt_target:
        raise ConfigError("--dbt-profile and --dbt-target go with --dbt-project-dir")
    if not force:
        check_same_project(manifest, output_dir / manifest_name(named))
    files = airflow_files(manifest, conn_id, prefix=named, split_by=split_by, arguments=arguments)
    found = changes(output_dir, files, manifest=manifest_name(named), force=force)
    if not check:
        apply(found)
    done = {True: ("is missing", "is stale", "should go"), False: ("new", "changed", "deleted")}
    for change in found:
        state = 0 if change.is_new else 1 if change.content is not None else 2
        numbers = f" (+{change.added} -{change.removed})" if change.path.suffix == ".py" else ""
        typer.echo(printable(f"{change.path}: {done[check][state]}{numbers}"))
    if check and found:
        typer.echo(f"{len(found)} of {len(files)} files are not up to date", err=True)
        raise typer.Exit(STALE)
    typer.echo(f"{len(files) - 1} DAGs in {printable(str(output_dir))} are up to date")


def _manifest(manifest_path: Path | None, project_path: Path | None) -> Path:
    """Return the manifest, compiled if need be."""
    if manifest_path is not None and project_path is None:
        if not manifest_path.is_file():
            raise ConfigError(f"--manifest-path {manifest_path}: there is no such file")
        return manifest_path.absolute()
    if project_path is None or manifest_path is not None:
        raise ConfigError("give either --manifest-path or --project-path")
    from airflow_dataops.cli.compile import compile_project

    output = project_path / "target" / "airflow_dataops.json"
    return compile_project(project_path, output=output).output.absolute()


def _dbt(project_dir: str, profile: str | None, target: str | None) -> Any:
    """Return how workers call dbt. Raises `ConfigError`."""
    from airflow_dataops.planning.dbt_config import DbtConfig

    if target is None:
        raise ConfigError("--dbt-project-dir goes with --dbt-target, the target of the workers")
    if profile is None:
        profile = _profile_of(Path(project_dir) / "dbt_project.yml")
    return DbtConfig(project_dir=project_dir, profile=profile, target=target)


def _profile_of(file: Path) -> str:
    """Return the profile that a project names. Raises `ConfigError` where none can be read."""
    import yaml

    from airflow_dataops.adapters.local_files import read_settings_file
    from airflow_dataops.core.yaml_loader import Bounded

    try:
        found = yaml.load(read_settings_file(file), Bounded)  # noqa: S506 - a SafeLoader
    except (ConfigError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: {error}; give the profile by --dbt-profile") from error
    profile = found.get("profile") if isinstance(found, dict) else None
    if not isinstance(profile, str):
        raise ConfigError(f"{file} names no profile; give it by --dbt-profile")
    return profile


def _checked_prefix(prefix: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", prefix) or len(prefix) > 100:
        raise ConfigError(f"--prefix {prefix!r}: letters, digits and _, as in the name of a module")
    return prefix


def run() -> None:
    """Run the command line."""
    run_app("airflow-dag-gen", lambda: app)
