"""The copy of a dbt project in which hooks around a run are left out, or run alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_dataops.adapters.dbt_run_hooks import STAND_IN, set_run_hooks
from airflow_dataops.core.model import RunMoment
from airflow_dataops.errors import RunError

FILES = {
    "dbt_project.yml": "name: shop\non-run-start: select 1\non-run-end: [select 2, select 3]\n",
    "models/one.sql": "select 1",
    "packs/with/dbt_project.yml": "name: with\non-run-end: select 4\n",
    "packs/with/models/two.sql": "select 2",
    "packs/without/dbt_project.yml": "name: without\n",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of links, as Cosmos makes it."""
    return linked(tmp_path, FILES)


def linked(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / name).write_text(text)
    (folder / "copy").mkdir()
    for child in (folder / "project").iterdir():
        (folder / "copy" / child.name).symlink_to(child)
    return folder / "copy"


def settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "dbt_project.yml").read_text())
    return found


def hooks(folder: Path) -> dict[str, Any]:
    return {name: value for name, value in settings(folder).items() if name.startswith("on-run")}


def in_packs(file: Path, path: str) -> None:
    text = file.read_text()
    file.unlink()
    file.write_text(f"{text}packages-install-path: {path}\n")


@pytest.mark.parametrize("path", ["packs", "\"{{ env_var('WHERE', 'nowhere') }}\""])
def test_a_node_runs_no_hook_of_the_project_or_of_a_package(copy: Path, path: str) -> None:
    in_packs(copy / "dbt_project.yml", path)
    set_run_hooks(copy, {"WHERE": "packs"})
    assert hooks(copy) == {}
    packages = copy / settings(copy)["packages-install-path"]
    assert hooks(packages / "with") == {}
    assert (packages / "with" / "models" / "two.sql").read_text() == "select 2"
    assert settings(packages / "without") == {"name": "without"}


def test_hooks_of_one_moment_run_alone_and_are_told_what_they_ask_for(copy: Path) -> None:
    in_packs(copy / "dbt_project.yml", "packs")
    set_run_hooks(copy, {}, RunMoment.END)
    (moment,) = hooks(copy)
    assert moment == "on-run-end"
    first, second = hooks(copy)[moment]
    assert first.endswith("-%}select 2")
    assert second.endswith("-%}select 3")
    (of_package,) = hooks(copy / "dataops_packages" / "with")["on-run-end"]
    assert of_package.endswith("-%}select 4")
    assert settings(copy)["model-paths"] == ["models", STAND_IN]
    assert "ephemeral" in (copy / STAND_IN / f"{STAND_IN}.sql").read_text()


def test_the_project_behind_the_links_stays_as_it_is(copy: Path) -> None:
    set_run_hooks(copy, {}, RunMoment.START)
    project = copy.parent / "project"
    assert {name: (project / name).read_text() for name in FILES} == FILES
    there = {path.name for path in project.rglob("*") if path.is_file()}
    assert there == {Path(name).name for name in FILES}


def test_a_project_without_hooks_keeps_its_file_and_what_dbt_knows_of_it(tmp_path: Path) -> None:
    copy = linked(tmp_path, {"dbt_project.yml": "name: shop\n", "models/one.sql": "select 1"})
    set_run_hooks(copy, {})
    assert (copy / "dbt_project.yml").is_symlink()


def test_a_broken_file_is_named(copy: Path) -> None:
    (copy.parent / "project" / "dbt_project.yml").write_text("a: [")
    with pytest.raises(RunError, match=r"project/dbt_project\.yml cannot be read"):
        set_run_hooks(copy, {})
