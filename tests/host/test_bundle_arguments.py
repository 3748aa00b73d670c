"""Arguments of a bundle: each wrong one is told with the bundle, its key and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from airflow_dataops.dag_factory.arguments import LoadDagsArguments, ProjectArguments
from airflow_dataops.dag_factory.bundle import ManifestFolderBundle
from airflow_dataops.dag_factory.bundle_arguments import _ONLY_PYTHON, _TYPES
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write
from tests.host.test_bundle import storage

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["storage"]

NO_TEXT = (5, True, ["x"], {"a": 1}, "")
NO_FLAG = ("yes", 1, None, [])
NO_MAPPING = (5, "x", ["x"], True)
WRONG: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("select", "exclude", "start_on", "on_failure_callback"), (5, True, [5], {})),
    **dict.fromkeys(("state", "defer_state", "slas"), (5, True, ["x"], {}, "prod", "../prod", "")),
    **dict.fromkeys(("start_date", "end_date"), (5, True, "gestern", "2026-02-30", [])),
    **dict.fromkeys(("defer", "favor_state", "catchup", "fail_fast"), NO_FLAG),
    **dict.fromkeys(("engine", "group_by", "granularity", "on_empty", "assets"), (*NO_TEXT, None)),
    **dict.fromkeys(("dag_id", "schedule", "split_by", "unassigned", "environment"), NO_TEXT),
    **dict.fromkeys(("operator_args", "default_args"), (*NO_MAPPING, None)),
    **dict.fromkeys(("group_args", "tag_args"), (*NO_MAPPING, {"marts": 5})),
    **dict.fromkeys(("vars", "params", "relations", "selectors", "per_project"), NO_MAPPING),
    "tags": ("x", 5, [5], None),
    "threads": (0, -1, "2", True, 1.5),
    "timezone": (5, "Mars/X", ["x"]),
    "dagrun_timeout": ("soon", True, [], -1),
    "max_active_runs": ("2", -1, None, True),
    "dbt": (
        *NO_MAPPING,
        {"project_dir": "/p"},
        {"project_dir": "p", "profile": "p", "target": "t"},
        {"project_dir": "/p", "profile": "p", "target": 5},
        {"project_dir": "/p", "profile": "p", "target": "t", "vars": None},
        {"project_dir": "/p", "profile": "p", "target": "t", "taget": "t"},
    ),
    "user_defined_macros": ({"x": 1},),
    "selct": ("a",),
    "conn": ("w",),
}


def bundle(folder: Path, arguments: Any) -> ManifestFolderBundle:
    made = ManifestFolderBundle(
        name="mine", version=None, folder=str(folder / "m"), conn_id="w", arguments=arguments
    )
    made.refresh()
    return made


def found_by(made: ManifestFolderBundle) -> tuple[list[str], dict[str, str]]:
    bag = DagBag(dag_folder=str(made.path), bundle_path=made.path, bundle_name="mine")
    return sorted(bag.dags), bag.import_errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("shop", "good"):
        nodes = (model("a", project=name), model("b", "a", project=name))
        write(tmp_path / "m" / f"{name}.json", manifest(*nodes, project=name))
    write(tmp_path / "prod" / "manifest.json", manifest(model("a", project="shop"), project="shop"))
    return tmp_path


@pytest.mark.parametrize("arguments", [5, "x", [1], True])
def test_arguments_that_are_no_mapping(folder: Path, arguments: Any) -> None:
    with pytest.raises(ConfigError, match="bundle mine: arguments="):
        bundle(folder, arguments)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_for_all_keeps_the_bundle_from_being_made(folder: Path, name: str) -> None:
    for value in WRONG[name]:
        with pytest.raises(ConfigError, match=rf"^bundle mine: arguments.*\b{name}\b") as caught:
            bundle(folder, {name: value})
        assert len(str(caught.value)) > len(f"bundle mine: arguments: {name}: ")


def test_a_wrong_value_for_one_project_is_its_manifests_alone(folder: Path) -> None:
    for name, values in WRONG.items():
        if name in ("per_project", "environment", "dag_id"):
            continue
        dags, errors = found_by(bundle(folder, {"per_project": {"shop": {name: values[0]}}}))
        assert dags == ["good"], name
        (text,) = errors.values()
        assert "shop.json: bundle mine: per_project['shop']" in text, (name, text)
        assert name in text


@pytest.mark.parametrize("own", [5, None, ["x"], "daily"])
def test_arguments_of_a_project_that_are_no_mapping(folder: Path, own: Any) -> None:
    dags, errors = found_by(bundle(folder, {"per_project": {"shop": own}}))
    assert dags == ["good"]
    (text,) = errors.values()
    assert "bundle mine: per_project['shop'] is" in text


def test_arguments_for_a_project_that_is_not_there_are_an_error_of_their_own(folder: Path) -> None:
    """They passed in silence: each file of a bundle looks at its own manifest."""
    made = bundle(folder, {"per_project": {"shpo": {"schedule": "@daily"}}})
    dags, errors = found_by(made)
    assert dags == ["good", "shop"]
    ((file, text),) = errors.items()
    assert file.startswith("per_project_")
    assert "bundle mine: no manifest is of a project 'shpo', did you mean 'shop'?" in text
    write(folder / "m" / "shpo.json", manifest(model("a"), project="shpo"))
    made.refresh()
    assert found_by(made) == (["good", "shop", "shpo"], {})


def test_what_json_says_is_what_load_dags_takes(folder: Path) -> None:
    own = {
        "start_date": "2026-01-02",
        "timezone": "Europe/Berlin",
        "dagrun_timeout": "2h",
        "default_args": {"retry_delay": "30m", "end_date": "2027-01-01T00:00:00+00:00"},
        "state": str(folder / "prod"),
        "select": "state:new",
    }
    made = bundle(folder, {"per_project": {"shop": own}})
    bag = DagBag(dag_folder=str(made.path), bundle_path=made.path, bundle_name="mine")
    assert bag.import_errors == {}
    dag = bag.dags["shop"]
    assert dag.task_ids == ["b"]
    assert dag.start_date is not None
    assert dag.start_date.isoformat() == "2026-01-01T23:00:00+00:00"
    assert dag.dagrun_timeout is not None
    assert dag.dagrun_timeout.total_seconds() == 7200
    assert dag.get_task("b").retry_delay.total_seconds() == 1800
    assert dag.get_task("b").end_date is not None


def test_every_argument_has_a_form_in_json() -> None:
    known = LoadDagsArguments.__annotations__.keys() | ProjectArguments.__annotations__.keys()
    left = {"sla_miss_callback", "allowed_run_types"}
    assert known - left - _ONLY_PYTHON <= _TYPES.keys()


def test_errors_name_the_manifest_and_no_file_of_the_bundle(folder: Path) -> None:
    _, errors = found_by(bundle(folder, {"per_project": {"shop": {"select": "nope"}}}))
    (text,) = errors.values()
    told = text.strip().splitlines()
    assert any(
        line.startswith("shop.json: ") or "'shop.json' did not load" in line for line in told
    )
    assert "/manifests/" not in "".join(line for line in told if "nope" in line)


@pytest.mark.parametrize("wrong", ["x", 0, -1, "0m", 0.5, None])
def test_a_refresh_interval_is_a_time(tmp_path: Path, wrong: Any) -> None:
    given: dict[str, Any] = {"name": "mine", "folder": str(tmp_path), "conn_id": "w"}
    assert ManifestFolderBundle(**given, refresh_interval="5m").refresh_interval == 300
    with pytest.raises(ConfigError, match="bundle mine: refresh_interval="):
        ManifestFolderBundle(**given, refresh_interval=wrong)


def test_an_unknown_argument_of_a_bundle_names_it(tmp_path: Path) -> None:
    given: dict[str, Any] = {"name": "mine", "folder": str(tmp_path), "conn_id": "w"}
    with pytest.raises(ConfigError, match="bundle mine has no argument 'bogus'"):
        ManifestFolderBundle(**given, bogus=1)
    with pytest.raises(ConfigError, match="bundle mine: versions_folder=5"):
        ManifestFolderBundle(**given, versions_folder=5)
    with pytest.raises(ConfigError, match=r"bundle mine: arguments: schedule: .*'bogus'"):
        ManifestFolderBundle(**given, arguments={"schedule": "bogus"})
