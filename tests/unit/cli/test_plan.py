"""`airflow-dataops plan`: what it says of a manifest, split or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path


def asking(schedule: str) -> dict[str, Any]:
    return {"config": {"materialized": "table", "meta": {"schedule": schedule}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nodes = (
        model("stg_a", **asking("hourly")),
        model("fct_b", "stg_a", **asking("daily")),
    )
    return write(tmp_path / "m.json", manifest(*nodes))


def said(path: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["plan", str(path), *options], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_project_is_shown_dag_by_dag_with_what_starts_each(path: Path) -> None:
    shown = said(path)
    assert "Plan of tiny__hourly" in shown
    assert "Plan of tiny__daily" in shown
    assert "schedule: @hourly" in shown
    assert "schedule: @daily, then goes on when all of its inputs are fresh" in shown
    assert "reads wh.main.stg_a of hourly" in shown


def test_it_can_be_shown_as_one(path: Path) -> None:
    shown = said(path, "--split-by", "none")
    assert "Plan of tiny" in shown
    assert "tiny__" not in shown
    assert "2 tasks, 2 by sql, 0 by dbt; schedule: @hourly" in shown


def test_selectors_name_the_dags(path: Path) -> None:
    shown = said(path, "--selector", "mine=fct_b", "--start-when", "any")
    assert "Plan of tiny__mine" in shown
    assert "Plan of tiny__rest" in shown


def test_json_is_a_plan_or_a_list_of_plans(path: Path) -> None:
    assert [plan["part"] for plan in json.loads(said(path, "--json"))] == ["hourly", "daily"]
    whole = json.loads(said(path, "--json", "--split-by", "none"))
    assert sorted(whole["tasks"]) == ["fct_b", "stg_a"]


def test_a_selector_without_a_name_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="write the name of a DAG and what it takes"):
        said(path, "--selector", "tag:daily")


def test_what_would_be_deferred_is_told_and_what_cannot_be_is_refused(
    path: Path, tmp_path: Path
) -> None:
    """As `dbt build --defer --state`: of what is selected, what it reads and does not build."""
    earlier = tmp_path / "prod"
    earlier.mkdir()
    nodes = (model("stg_a", schema="prod"), model("fct_b", "stg_a", schema="prod"))
    write(earlier / "manifest.json", manifest(*nodes))
    shown = said(path, "--select", "fct_b", "--state", str(earlier), "--defer")
    assert "Deferred where they do not exist here: 1 tables" in shown
    assert "model.tiny.stg_a is read from wh.prod.stg_a" in shown
    assert "Deferred in any case: 0 tables" in said(
        path, "--defer", "--favor-state", "--defer-state", str(earlier)
    )
    for options, error in (
        (["--favor-state"], "does nothing without --defer"),
        (["--defer"], "name the folder of an earlier run"),
        (["--defer", "--state", str(tmp_path / "none")], "has no manifest.json"),
    ):
        done = CliRunner().invoke(app, ["plan", str(path), *options])
        assert done.exit_code
        assert error in str(done.exception)


def test_a_selection_of_which_nothing_runs_is_refused(tmp_path: Path) -> None:
    """As `load_dags` refuses it; it was a plan of 0 tasks, or a DAG that was not there."""
    nodes = (model("e", config={"materialized": "ephemeral"}), model("a", "e"))
    path = write(tmp_path / "m.json", manifest(*nodes))
    for options in (["-s", "e"], ["--selector", "x=e", "--selector", "y=a"]):
        done = CliRunner().invoke(app, ["plan", str(path), *options])
        assert "leaves a DAG without tasks" in str(done.exception), done.output
    assert "1 tasks" in said(path, "-s", "a")
