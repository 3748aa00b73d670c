"""Generated DAG files: the same DAGs as live ones, for people to read, edit and generate again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization
from typer.testing import CliRunner

from airflow_dataops.cli.dag_gen import app
from airflow_dataops.codegen.airflow_project import airflow_files, manifest_dags
from airflow_dataops.codegen.literals import Literals, text
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.dbt_config import DbtConfig
from benchmarks.manifests import manifest
from tests.host.manifests import write

if TYPE_CHECKING:
    from airflow.sdk import DAG

SHOP = Path(__file__).parents[2] / "dags" / "manifests" / "shop" / "manifest.json"
RUFF = Path(sys.executable).with_name("ruff")


def generated(folder: Path) -> dict[str, DAG]:
    """Run the files of a folder as Airflow does."""
    dags = {}
    for file in sorted(folder.glob("*.py")):
        space: dict[str, Any] = {"__file__": str(file), "__name__": file.stem}
        exec(compile(file.read_text(), file, "exec"), space)
        dags[space["dag"].dag_id] = space["dag"]
    return dags


def serialized(dag: DAG) -> Any:
    data = DagSerialization.to_dict(dag)
    data["dag"].pop("fileloc")
    data["dag"].pop("relative_fileloc", None)
    data["dag"]["tasks"].sort(key=lambda task: task["__var"]["task_id"])
    return json.loads(json.dumps(data))


def same_as_live(folder: Path, split_by: str = "layer", **arguments: Any) -> None:
    copy = folder / "dbt_manifest.json"
    live = manifest_dags(copy, "warehouse", "dbt", split_by, arguments)
    made = generated(folder)
    assert made.keys() == {dag.dag_id for _, dag in live}
    for _, dag in live:
        assert serialized(made[dag.dag_id]) == serialized(dag)


def put(folder: Path, source: Path, **asked: Any) -> Path:
    given: dict[str, Any] = {"prefix": "dbt", "split_by": "layer", **asked}
    folder.mkdir(exist_ok=True)
    for name, content in airflow_files(source, "warehouse", **given).items():
        (folder / name).write_bytes(content)
    return folder


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_the_shop_as_files_is_the_shop_live_formatted_and_typed(tmp_path: Path) -> None:
    """With edges between the files, SLAs, deadlines, groups."""
    written = run("--project-type", "dbt", "--manifest-path", SHOP, "--output-dir", tmp_path)
    assert written.exit_code == 0, written.output
    assert {"dbt_staging.py", "dbt_intermediate.py", "dbt_marts.py", "dbt_manifest.json"} <= {
        file.name for file in tmp_path.iterdir()
    }
    same_as_live(tmp_path)
    style = ("check", "--select", "E,F,I,UP,B,A,W,ANN", "--line-length", "120")
    for arguments in (("format", "--check"), style):
        command = [RUFF, *arguments, "--isolated", tmp_path]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("split_by", ["none", "folder", "tag"])
def test_other_ways_to_split(tmp_path: Path, split_by: str) -> None:
    same_as_live(put(tmp_path / "dags", SHOP, split_by=split_by), split_by=split_by)


def test_nodes_that_dbt_runs(tmp_path: Path) -> None:
    """Models in Python, custom materializations, hooks with Jinja; with a profile."""
    dbt = DbtConfig(project_dir="/opt/shop", profile="shop", target="prod")
    asked: dict[str, Any] = {"dbt": dbt, "operator_args": {"retries": 5}}
    fixture = Path(__file__).parents[1] / "fixtures" / "manifests" / "v12.json"
    folder = put(tmp_path / "dags", fixture, arguments=asked)
    assert sum(file.read_text().count("= dbt_task(") for file in folder.glob("*.py")) >= 7
    same_as_live(folder, **asked)


HOSTILE = [
    '"""\nimport os\nos.abort()\n"""',
    "'); raise SystemExit('x",
    "\\",
    "# region keep: tasks",
    "{{ 1 / 0 }}\r\n\t\u2028\x00",
    "\"'\"'",
    "ä{}%s",
]


def test_names_of_a_manifest_are_data(tmp_path: Path) -> None:
    """Owners, tags, descriptions, paths: nothing of them runs, and all of it arrives."""
    content = manifest(len(HOSTILE))
    models = [node for node in content["nodes"].values() if node["resource_type"] == "model"]
    for node, name in zip(models, HOSTILE, strict=True):
        node["description"] = name
        node["meta"] = {"owner": name.replace("\x00", ""), "sla_hours": 2}
        node["tags"] = [name]
        node["schema"] = node["alias"] = name
    put(tmp_path / "dags", write(tmp_path / "m.json", content), split_by="none")
    same_as_live(tmp_path / "dags", split_by="none")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_literal_is_what_it_was_made_of(value: str) -> None:
    assert eval(text(value), {}) == value
    code = Literals().value({value: [value, (value,), {value}]}).flat()
    assert eval(code, {}) == {value: [value, (value,), {value}]}


def test_edits_in_regions_survive_and_others_are_not_lost(tmp_path: Path) -> None:
    ours = ("--manifest-path", SHOP, "--output-dir", tmp_path)
    assert run(*ours).exit_code == 0
    file = tmp_path / "dbt_marts.py"
    before = file.read_text()
    mine = before.replace(
        "    # region keep: arguments\n", "    # region keep: arguments\n    catchup=False,\n"
    ).replace("# region keep: tasks\n", "# region keep: tasks\n    assert fct_orders\n")
    file.write_text(mine)
    assert run(*ours, "--check").exit_code == 0, "an edit of mine is not stale"
    assert run(*ours, "--schedule", "hourly").exit_code == 0
    assert "catchup=False" in file.read_text()
    assert "assert fct_orders" in file.read_text()

    stale = run(*ours, "--check")
    assert stale.exit_code == 1
    assert "dbt_staging.py: is stale" in stale.output
    assert run(*ours).exit_code == 0
    assert file.read_text() == mine

    file.write_text(mine.replace('retries": 2', 'retries": 5'))
    refused = run(*ours)
    assert refused.exit_code != 0
    assert "edited outside" in str(refused.exception)
    assert 'retries": 5' in file.read_text()
    assert run(*ours, "--force").exit_code == 0
    assert file.read_text() == mine


def test_what_nothing_generates_any_more_goes_unless_it_holds_code(tmp_path: Path) -> None:
    ours = ("--manifest-path", SHOP, "--output-dir", tmp_path)
    assert run(*ours).exit_code == 0
    (tmp_path / "dbt_mine.py").write_text("x = 1\n")
    narrowed = (*ours, "--select", "path:models/staging")
    assert run(*narrowed, "--check").exit_code == 1
    assert (tmp_path / "dbt_marts.py").exists()
    marts = tmp_path / "dbt_marts.py"
    marts.write_text(marts.read_text().replace("keep: tasks\n", "keep: tasks\n    x = 1\n", 1))
    refused = run(*narrowed)
    assert refused.exit_code != 0
    assert "hold code" in str(refused.exception)
    marts.write_text(marts.read_text().replace("    x = 1\n", ""))
    assert run(*narrowed).exit_code == 0
    assert not marts.exists()
    assert (tmp_path / "dbt_mine.py").exists()


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dbt_staging.py").write_text("mine = 1\n")
    refused = run("--manifest-path", SHOP, "--output-dir", tmp_path)
    assert refused.exit_code != 0
    assert "was not generated with" in str(refused.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["dbt_staging.py"]


def test_the_manifest_or_the_project_and_not_both() -> None:
    for given in ((), ("--manifest-path", SHOP, "--project-path", SHOP.parent)):
        refused = run(*given)
        assert refused.exit_code != 0
        assert "either --manifest-path" in str(refused.exception)


def test_projects_beside_each_other_keep_their_files(tmp_path: Path) -> None:
    """Prefixes that begin alike; a split that becomes none; another project, the same prefix."""
    one = write(tmp_path / "one.json", manifest(2))
    folder = tmp_path / "dags"
    ours = ("--output-dir", folder)
    assert run("--manifest-path", SHOP, *ours).exit_code == 0
    assert run("--manifest-path", one, *ours, "--prefix", "dbt_two").exit_code == 0
    assert run("--manifest-path", SHOP, *ours, "--check").exit_code == 0
    assert run("--manifest-path", SHOP, *ours, "--split-by", "none").exit_code == 0
    names = {file.name for file in folder.glob("*.py")}
    assert "dbt.py" in names
    assert "dbt_marts.py" not in names
    assert run("--manifest-path", SHOP, *ours).exit_code == 0
    assert not (folder / "dbt.py").exists()
    assert run("--manifest-path", one, *ours, "--prefix", "dbt_two", "--check").exit_code == 0
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    for taken in ("dbt", "dbt_two"):
        other = one if taken == "dbt" else SHOP
        refused = run("--manifest-path", other, *ours, "--prefix", taken)
        assert "of the project" in str(refused.exception)
    refused = run("--manifest-path", SHOP, *ours, "--prefix", "dbt_marts", "--split-by", "none")
    assert "was not generated with" in str(refused.exception)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("mine", ["x = 'a\x0cb\x1c\u2028'", "", "x = 1\n\n\n"])
def test_regions_stay_letter_by_letter_with_ends_of_lines_of_any_kind(
    tmp_path: Path, mine: str
) -> None:
    ours = ("--manifest-path", SHOP, "--output-dir", tmp_path)
    assert run(*ours).exit_code == 0
    file = tmp_path / "dbt_marts.py"
    edited = file.read_text().replace("keep: imports\n", f"keep: imports\n{mine}\n", 1)
    file.write_text(edited)
    assert run(*ours, "--schedule", "hourly").exit_code == 0
    assert run(*ours).exit_code == 0
    assert file.read_text() == edited
    file.write_bytes(edited.replace("\n", "\r\n").encode())
    assert run(*ours, "--check").exit_code == 0


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    empty = write(tmp_path / "empty.json", manifest(0))
    for given, told in (
        (("--manifest-path", tmp_path / "none.json"), "no such file"),
        (("--manifest-path", tmp_path), "no such file"),
        (("--manifest-path", SHOP, "--output-dir", tmp_path / "file"), "cannot be written"),
        (("--manifest-path", empty), "nothing that runs"),
        (("--manifest-path", SHOP, "--prefix", "../x"), "--prefix"),
    ):
        refused = run("--output-dir", tmp_path / "dags", *given)
        assert isinstance(refused.exception, ConfigError), refused
        assert told in str(refused.exception)
    assert not (tmp_path / "dags").exists()
