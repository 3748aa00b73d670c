"""A folder of manifests in a DAG file, as Airflow's own DagBag sees it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from airflow.dag_processing.dagbag import DagBag
from airflow.dag_processing.processor import _serialize_dags

from airflow_dataops import dbt_dag
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

CALL = 'load_dags("manifests", globals(), conn_id="warehouse")'


def bag(folder: Path, call: str = CALL) -> DagBag:
    """Parse one DAG file beside the folder of manifests."""
    (folder / "dags.py").write_text(
        f"from airflow_dataops import load_dags  # airflow DAG\n{call}\n"
    )
    return DagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="test")


def error_of(found: DagBag) -> str:
    (text,) = found.import_errors.values()
    return str(text)


def good(folder: Path, project: str = "good") -> None:
    write(
        folder / "manifests" / project / "manifest.json",
        manifest(model("a", project=project), model("b", "a", project=project), project=project),
    )


def test_every_manifest_becomes_a_dag(tmp_path: Path) -> None:
    good(tmp_path)
    write(tmp_path / "manifests" / "other.json", manifest(model("x"), project="other"))
    found = bag(tmp_path)
    assert found.import_errors == {}
    assert sorted(found.dags) == ["good", "other"]
    assert found.dags["good"].get_task("b").upstream_task_ids == {"a"}
    assert found.dags["good"].fileloc == str(tmp_path / "dags.py")


BAD = {
    "truncated": ('{"metadata": {"dbt_schema', "JSON"),
    "empty": ("", "empty"),
    "not a manifest": ('{"results": []}', "manifest"),
    "too old": (
        '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v4.json"}}',
        "v4",
    ),
}


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_a_bad_manifest_is_named_with_its_reason_and_its_neighbours_load(
    tmp_path: Path, content: str, told: str
) -> None:
    good(tmp_path)
    write(tmp_path / "manifests" / "bad" / "manifest.json", content)
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert str(tmp_path / "manifests" / "bad" / "manifest.json") in error_of(found)
    assert told in error_of(found)


def test_the_dag_processor_keeps_the_error_apart_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes all DAGs of a file that has an import error for stale, and none of them runs."""
    good(tmp_path)
    write(tmp_path / "manifests" / "bad" / "manifest.json", "[]")
    # As the dag-processor does before it parses.
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
    found = bag(tmp_path)
    assert found.import_errors == {}
    serialized, errors = _serialize_dags(found, structlog.get_logger())
    assert [dag.dag_id for dag in serialized] == ["good"]
    ((file, text),) = errors.items()
    assert file == "dags.py: dataops_errors_0"
    assert found.dags["good"].relative_fileloc == "dags.py"
    assert str(tmp_path / "manifests" / "bad" / "manifest.json") in text


def test_all_bad_manifests_show_at_once(tmp_path: Path) -> None:
    good(tmp_path)
    for name, (content, _) in BAD.items():
        write(tmp_path / "manifests" / name / "manifest.json", content)
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert all(f"/{name}/manifest.json" in error_of(found) for name in BAD)


def test_a_cycle_is_told_as_a_path(tmp_path: Path) -> None:
    good(tmp_path)
    write(tmp_path / "manifests" / "bad.json", manifest(model("a", "b"), model("b", "a")))
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "model.tiny.a -> model.tiny.b -> model.tiny.a" in error_of(found)


def test_code_that_was_not_compiled_cannot_run(tmp_path: Path) -> None:
    good(tmp_path)
    raw = model("a")
    del raw["compiled_code"]
    write(tmp_path / "manifests" / "bad.json", manifest(raw))
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "no compiled code in the manifest" in error_of(found)


def test_two_projects_with_one_name_keep_the_first(tmp_path: Path) -> None:
    write(tmp_path / "manifests" / "1.json", manifest(model("a")))
    write(tmp_path / "manifests" / "2.json", manifest(model("b")))
    found = bag(tmp_path)
    assert found.dags["tiny"].task_ids == ["a"]
    assert "2.json: the dag id 'tiny' is taken by" in error_of(found)
    assert "1.json" in error_of(found)


def test_an_unknown_engine_is_said_once(tmp_path: Path) -> None:
    good(tmp_path)
    good(tmp_path, "better")
    found = bag(tmp_path, CALL.replace('"warehouse"', '"warehouse", engine="spark"'))
    assert error_of(found).count("engine: expected one of 'auto', 'sql', 'dbt', got 'spark'") == 1


def test_a_folder_that_is_not_there_leaves_the_rest_of_the_file(tmp_path: Path) -> None:
    good(tmp_path)
    found = bag(tmp_path, f"{CALL}\n{CALL.replace('manifests', 'elsewhere')}")
    assert list(found.dags) == ["good"]
    assert f"{tmp_path / 'elsewhere'}: no such folder" in error_of(found)


def test_an_empty_folder_is_an_error_not_silence(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    assert "no manifest in this folder" in error_of(bag(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; see the next test")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    good(tmp_path)
    write(tmp_path / "manifests" / "bad.json", "{}").chmod(0)
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "bad.json cannot be read (Permission denied)" in error_of(found)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder called manifest.json cannot be read by anyone, not even by root."""
    good(tmp_path)
    (tmp_path / "manifests" / "odd" / "manifest.json").mkdir(parents=True)
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "odd/manifest.json is a folder" in error_of(found)


def test_a_dangling_link_is_named(tmp_path: Path) -> None:
    good(tmp_path)
    (tmp_path / "manifests" / "gone.json").symlink_to(tmp_path / "nowhere")
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "gone.json: no such file" in error_of(found)


def test_arguments_that_airflow_does_not_know_are_named(tmp_path: Path) -> None:
    good(tmp_path)
    write(
        tmp_path / "manifests" / "bad.json",
        manifest(model("a", meta={"airflow": {"pol": "x"}}, patch_path="tiny://models/s.yml")),
    )
    found = bag(tmp_path)
    assert list(found.dags) == ["good"]
    assert "models/s.yml" in error_of(found)
    assert "pol" in error_of(found)


def test_what_airflow_takes_is_passed_on_and_projects_can_differ(tmp_path: Path) -> None:
    good(tmp_path)
    good(tmp_path, "better")
    own = "{'better': {'dag_id': 'best', 'schedule': None}}"
    arguments = f"schedule='@daily', default_args={{'retries': 7}}, tags=['x'], per_project={own}"
    found = bag(tmp_path, CALL.replace('"warehouse"', f'"warehouse", {arguments}'))
    assert found.import_errors == {}
    assert sorted(found.dags) == ["best", "good"]
    assert found.dags["good"].schedule == "@daily"
    assert found.dags["best"].schedule is None
    assert found.dags["good"].get_task("a").retries == 7
    assert found.dags["good"].get_task("a").retry_exponential_backoff
    assert "x" in found.dags["good"].tags


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": "0 7 * * * Mars/X"}, "no time zone 'Mars/X'"),
        ({"schedule": "0 7 * * * europe/berlin"}, "no time zone 'europe/berlin'"),
        ({"start_date": "2026-01-01"}, "start_date='2026-01-01': write a datetime"),
    ],
)
def test_what_a_dag_takes_is_checked_where_it_is_written(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    """Airflow finds it when it serializes the DAG, or in words of its own code."""
    path = write(tmp_path / "m.json", manifest(model("stg_a")))
    with pytest.raises(ConfigError, match=message):
        dbt_dag(manifest=path, conn_id="w", **arguments)
    for schedule in ("0 7 * * * Europe/Berlin", "*/5 0 * * * *", "0 0 * * MON#2", "@daily"):
        dbt_dag(manifest=path, conn_id="w", schedule=schedule)
