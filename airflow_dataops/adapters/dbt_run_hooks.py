"""The hooks around a run in a copy of a dbt project: none, or those of one moment alone.

dbt has no option for it: `on-run-start` and `on-run-end`, of the project and of its packages, run
around each `dbt run`, `seed`, `snapshot` and `test`, also of a single node. They are settings of
`dbt_project.yml`, so that file is written anew in the copy that a task makes of the project. dbt
then parses the project from the start, for what it keeps of a parse is of another such file.

Hooks alone: dbt runs them around nodes that are built, and has nothing to build for an ephemeral
model. One is put into the copy to be selected.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml

from airflow_dataops.adapters.local_files import read_settings_file
from airflow_dataops.core.model import RunMoment
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STAND_IN = "dataops_hooks_alone"
"""The ephemeral model, and the folder it lies in."""

VARIABLE = "DATAOPS_SCHEMAS"
"""Environment variable with the databases and schemas that hooks are told of: JSON, pairs."""

_PROJECT = "dbt_project.yml"
_PACKAGES = "dataops_packages"
_MODEL = (
    "{{ config(materialized='ephemeral', enabled=true, contract={'enforced': false}) }} select 1"
)

_PRELUDES = {
    # Before the hooks dbt makes the schemas of what it is going to build.
    RunMoment.START: (
        "{%- if execute -%}{%- for each in fromjson(env_var('DATAOPS_SCHEMAS')) -%}"
        "{%- if not adapter.check_schema_exists(each[0], each[1]) -%}"
        "{%- do adapter.create_schema(api.Relation.create(database=each[0], schema=each[1])) -%}"
        "{%- endif -%}{%- endfor -%}{%- endif -%}"
    ),
    RunMoment.END: (
        "{%- set database_schemas = [] -%}{%- set schemas = [] -%}"
        "{%- for each in fromjson(env_var('DATAOPS_SCHEMAS')) -%}"
        "{%- do database_schemas.append((each[0], each[1])) -%}"
        "{%- if each[1] not in schemas -%}{%- do schemas.append(each[1]) -%}{%- endif -%}"
        "{%- endfor -%}"
    ),
}


def set_run_hooks(project: Path, env: Mapping[str, str], moment: RunMoment | None = None) -> None:
    """Leave the hooks of one moment in a copy of a project, or none.

    Args:
        project: a folder of links to the files of the project; what is a link is replaced, and
            what it leads to stays as it is.
        env: environment variables of dbt.
        moment: whose hooks are left, for `STAND_IN` to be selected. They are given the schemas of
            `VARIABLE`.

    Raises:
        RunError: a `dbt_project.yml` cannot be read.
    """
    settings = _settings(project / _PROJECT)
    packages = project / _install_path(settings, env)
    hooked = {
        folder.name: found
        for folder in (sorted(packages.iterdir()) if packages.is_dir() else ())
        if (folder / _PROJECT).is_file() and _has_hooks(found := _settings(folder / _PROJECT))
    }
    if not hooked and not _has_hooks(settings) and moment is None:
        return
    if hooked:
        _link(packages, project / _PACKAGES, hooked, moment)
        settings["packages-install-path"] = _PACKAGES
    if moment is not None:
        key = "source-paths" if "source-paths" in settings else "model-paths"
        settings[key] = [*(settings.get(key) or ["models"]), STAND_IN]
        (project / STAND_IN).mkdir()
        (project / STAND_IN / f"{STAND_IN}.sql").write_text(_MODEL, encoding="utf-8")
    _write(project / _PROJECT, _kept(settings, moment))


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(read_settings_file(file))
    except (ConfigError, ValueError, yaml.YAMLError) as error:
        raise RunError(f"{file.resolve()} cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}


def _has_hooks(settings: Mapping[str, Any]) -> bool:
    return any(settings.get(moment) for moment in RunMoment)


def _kept(settings: Mapping[str, Any], moment: RunMoment | None) -> dict[str, Any]:
    """Return settings with the hooks of one moment, each with what it is to know before it."""
    kept = {key: value for key, value in settings.items() if key not in tuple(RunMoment)}
    hooks = settings.get(moment) if moment else None
    if moment and hooks:
        texts = [hooks] if isinstance(hooks, str) else hooks
        kept[str(moment)] = [f"{_PRELUDES[moment]}{text}" for text in texts]
    return kept


def _install_path(settings: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Return where packages lie; dbt lets the setting read environment variables."""
    found = str(settings.get("packages-install-path") or "dbt_packages")
    if "{" not in found:
        return found
    from jinja2.sandbox import SandboxedEnvironment

    known = {**os.environ, **env}
    rendered = SandboxedEnvironment().from_string(found)
    return rendered.render(env_var=lambda name, default="": known.get(name, default))


def _link(
    packages: Path, folder: Path, hooked: Mapping[str, dict[str, Any]], moment: RunMoment | None
) -> None:
    """Make a folder of links to packages; those with hooks are folders of links themselves."""
    folder.mkdir()
    for package in packages.iterdir():
        linked = folder / package.name
        if package.name not in hooked:
            linked.symlink_to(package.resolve())
            continue
        linked.mkdir()
        for child in package.iterdir():
            (linked / child.name).symlink_to(child.resolve())
        _write(linked / _PROJECT, _kept(hooked[package.name], moment))


def _write(file: Path, settings: Mapping[str, Any]) -> None:
    file.unlink()
    text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=10_000)
    file.write_text(text, encoding="utf-8")
