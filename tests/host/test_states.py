"""A state that is missing, damaged or another's is one error, of the manifest that names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import dbt_dag, load_dags
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

OURS = manifest(model("a"), model("b", "a"))
DAMAGED = {
    "empty": ("", "the file is empty"),
    "cut off": ('{"nodes": {', "the JSON ends too early"),
    "a list": ("[]", "a list and no dbt manifest"),
    "not text": ("\0\1", "the file is not JSON"),
    "of another type": (json.dumps({**OURS, "nodes": 5}), "expected `object`, got `int`"),
    "of another project": (
        json.dumps(manifest(model("a", project="q"), project="q")),
        "is of the project 'q', not of 'tiny'",
    ),
}


def loaded(folder: Path, **arguments: Any) -> tuple[list[str], str]:
    """Load a good manifest and one with these arguments; return ids, and what went wrong."""
    write(folder / "m" / "m.json", OURS)
    write(folder / "m" / "good.json", manifest(model("g", project="good"), project="good"))
    space: dict[str, Any] = {"__file__": str(folder / "dag.py")}
    dags = load_dags("m", space, conn_id="w", per_project={"tiny": arguments})  # type: ignore[typeddict-item]
    error = ""
    if errors := space.get("dataops_errors_0"):
        with pytest.raises(ValueError, match="did not load") as caught:
            errors.validate()
        error = str(caught.value)
    return [dag.dag_id for dag in dags], error


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("use", [{"select": "state:modified"}, {"defer": True}], ids=str)
def test_a_damaged_manifest(tmp_path: Path, case: str, use: dict[str, Any]) -> None:
    text, told = DAMAGED[case]
    write(tmp_path / "prod" / "manifest.json", text)
    ids, error = loaded(tmp_path, state="prod", **use)
    assert ids == ["good"]
    assert f"{tmp_path / 'm' / 'm.json'}: " in error
    assert str(tmp_path / "prod" / "manifest.json") in error
    assert told in error


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"state": "prod", "select": "result:error"}, "has no run_results.json"),
        ({"state": "prod", "select": "source_status:fresher+"}, "has no sources.json"),
        ({"state": "nowhere", "select": "state:new"}, "is no folder"),
        ({"state": "prod/manifest.json", "select": "state:new"}, "is no folder"),
        ({"state": 5}, "state=5: write a path"),
        ({"select": "state:new"}, "state=, --state"),
        ({"defer": True}, "in state= too"),
        ({"defer": "yes", "state": "prod"}, "defer='yes': write True or False"),
        ({"favor_state": True, "state": "prod"}, "favor_state= does nothing without defer=True"),
        ({"defer_state": "prod"}, "defer_state= does nothing without defer=True"),
        ({"defer": True, "defer_state": "nowhere"}, "nowhere has no manifest.json"),
    ],
)
def test_what_is_missing(tmp_path: Path, arguments: dict[str, Any], told: str) -> None:
    write(tmp_path / "prod" / "manifest.json", OURS)
    ids, error = loaded(tmp_path, **arguments)
    assert ids == ["good"]
    assert told in error


def test_a_changed_state_changes_the_plan(tmp_path: Path) -> None:
    """The contents of what a selection looks at are in the plan's key."""
    folder = tmp_path / "prod"
    for status in ("error", "success", "error"):
        results = [{"unique_id": f"model.tiny.{n}", "status": status} for n in "a"]
        write(folder / "run_results.json", json.dumps({"results": results}))
        ids, error = loaded(tmp_path, state="prod", select="result:error")
        assert (ids == ["good", "tiny"]) is (status == "error"), error


def test_to_defer_and_to_move_tables_is_refused(tmp_path: Path) -> None:
    """A reference that leads away is looked for by its name of the compile, which moves."""
    path = write(tmp_path / "m.json", manifest(model("stg_a")))
    with pytest.raises(ConfigError, match="defer= and relations= do not go together"):
        dbt_dag(
            manifest=path,
            conn_id="w",
            state=tmp_path,
            defer=True,
            relations={"schema": {"main": "prod"}},
        )


@pytest.mark.parametrize("place", ["m/prod", "m/old/prod", "m/old/../prod"])
@pytest.mark.parametrize("use", ["state", "defer_state"])
def test_the_manifest_of_an_earlier_run_below_the_folder_makes_no_dag(
    tmp_path: Path, place: str, use: str
) -> None:
    """It was a second DAG, of the project as it was; or took the id of the present one."""
    old = manifest(model("a"), model("gone", "a"))
    write(tmp_path / place / "manifest.json", old)
    arguments: dict[str, Any] = {"state": place, "select": "state:new"}
    if use == "defer_state":
        arguments = {"state": place, "defer_state": place, "defer": True, "select": "b"}
    ids, error = loaded(tmp_path, **arguments)
    assert (sorted(ids), error) == (["good", "tiny"], "")


def test_a_folder_that_has_nothing_but_earlier_runs_says_so(tmp_path: Path) -> None:
    write(tmp_path / "m" / "prod" / "manifest.json", OURS)
    space: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    assert load_dags("m", space, conn_id="w", state="m/prod", select="result:error") == []
    with pytest.raises(ValueError, match=r"all manifests in this folder are below .*m/prod"):
        space["dataops_errors_0"].validate()
