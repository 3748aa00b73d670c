"""dbt beside SQL that dbt itself compiled: never silently with another target or other vars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops import DbtConfig, ManifestSource, dbt_dag, load_dags
from airflow_dataops.cli.app import app
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from airflow.sdk import DAG

PYTHON = model("p", "a", language="python", original_file_path="models/p.py", path="p.py")
OURS = {"version": 99, "target": "dev", "vars": {"day": 1}}


def dag(folder: Path, *nodes: dict[str, Any], called: Any = None, **given: Any) -> DAG:
    """A DAG of dbt's own manifest, with the results of the call that wrote it, or of another."""
    metadata = {"invocation_id": "1"}
    path = write(folder / "m.json", manifest(*(nodes or (model("a"), PYTHON)), **metadata))
    if called is not None:
        write(folder / "run_results.json", {"metadata": metadata, "args": {}} | called)
    engine = given.pop("engine", "auto")
    dbt = DbtConfig(project_dir="/p", profile="p", **{"target": "dev", **given})
    return dbt_dag(manifest=path, conn_id="w", dbt=dbt, engine=engine)


@pytest.mark.parametrize(
    ("called", "given", "told"),
    [
        ({"args": {"target": "prod"}}, {}, "target='dev'.*compiled the manifest for .*'prod'"),
        ({"args": {"vars": {"n": 1}}}, {"vars": {"n": 2}}, "'n' is 2, and .* with it 1"),
        ({"args": {"vars": {"n": 1}}}, {}, "'n' is not set, and .* with it 1"),
        ({"args": {}}, {"vars": {"n": "x"}}, "'n' is \"x\", and .* with it not set"),
        (None, {"vars": {"n": 2}}, "sets n, and the manifest does not tell"),
        ({"metadata": {"invocation_id": "2"}}, {"vars": {"n": 2}}, "does not tell"),
        ({"args": 5}, {"vars": {"n": 2}}, "does not tell"),
    ],
)
def test_what_dbt_compiled_with_is_compared(
    tmp_path: Path, called: Any, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        dag(tmp_path, called=called, **given)
    # One engine alone has one set of values.
    assert dag(tmp_path, model("a"), called=called, **given)
    assert dag(tmp_path, called=called, engine="dbt", **given)


def test_what_is_alike_is_taken_and_what_nobody_knows_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert dag(tmp_path / "plain", model("a")).task_ids == ["a"]
    assert caplog.text == ""
    assert dag(tmp_path / "c")
    assert "c/m.json: the manifest does not tell for which target" in caplog.text
    alike = {"args": {"target": "dev", "vars": {"n": 1}}}
    assert dag(tmp_path / "alike", called=alike, vars={"n": 1})
    planned = CliRunner().invoke(app, ["plan", str(tmp_path / "c" / "m.json")])
    assert "the manifest does not tell for which target" in " ".join(planned.stdout.split())


def test_results_that_change_are_read_again(tmp_path: Path) -> None:
    assert dag(tmp_path, called={"args": {"target": "dev"}})
    with pytest.raises(ConfigError, match="'prod'"):
        dag(tmp_path, called={"args": {"target": "prod"}})


WRONG: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("project_dir", "profile", "target"), (None, 5, True, "", " ", ["x"])),
    **dict.fromkeys(("profiles_dir", "executable"), (5, True, "", ["x"])),
    "vars": (None, "x", ["x"], {5: 1}, 7),
    "env": (None, "A=1", ["A"], {"A": 5}, {"A": None}, {5: "x"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_value_is_told_by_its_name(name: str) -> None:
    fine: dict[str, Any] = {"project_dir": "/p", "profile": "p", "target": "t"}
    assert set(WRONG) == set(DbtConfig.__struct_fields__)
    for value in WRONG[name]:
        with pytest.raises(ConfigError, match=rf"DbtConfig: {name}\S*: "):
            DbtConfig(**{**fine, name: value})
    assert DbtConfig(**{**fine, "project_dir": Path("/p")}).project_dir == "/p"


@pytest.mark.parametrize(
    ("name", "value"),
    [("uri", 5), ("uri", ""), ("conn_id", 5), ("check_every", "x"), ("max_age", -1)],
)
def test_each_wrong_value_of_a_source_is_told_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"ManifestSource: {name}="):
        ManifestSource(**{"uri": "s3://bucket/m.json", name: value})


def test_errors_are_of_the_manifest_that_mixes(tmp_path: Path) -> None:
    write(tmp_path / "m" / "mixed.json", manifest(model("a"), PYTHON))
    write(tmp_path / "m" / "plain.json", manifest(model("a"), project="plain"))
    dbt = DbtConfig(project_dir="/p", profile="p", target="dev", vars={"n": 1})
    space: dict[str, Any] = {}
    assert [d.dag_id for d in load_dags(tmp_path / "m", space, conn_id="w", dbt=dbt)] == ["plain"]
    with pytest.raises(ValueError, match=r"mixed\.json: DbtConfig\(vars"):
        space["dataops_errors_0"].validate()
