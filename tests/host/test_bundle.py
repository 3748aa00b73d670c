"""The bundle of manifests, as the dag-processor and workers use it."""

from __future__ import annotations

import ast
import json
import logging
import multiprocessing
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.bundles import base
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_dataops.dag_factory.bundle import ManifestFolderBundle
from airflow_dataops.dag_factory.bundle_versions import kept_version
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write
from tests.pace import at_most

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Airflow keeps the bundles of this host."""
    path = tmp_path / "host"
    use_host(path, monkeypatch)
    return path


def use_host(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(path))
    monkeypatch.setenv("AIRFLOW_HOME", str(path / "home"))
    monkeypatch.setattr(base, "STALE_BUNDLE_TRACKING_FOLDER", path / "_tracking")


def put(folder: Path, project: str, *models: str) -> Path:
    nodes = [model(name, project=project) for name in models or ("a",)]
    return write(folder / project / "manifest.json", manifest(*nodes, project=project))


def bundle(tmp_path: Path, version: str | None = None, **arguments: Any) -> ManifestFolderBundle:
    given = {"folder": str(tmp_path / "manifests"), **arguments}
    return ManifestFolderBundle(name="m", version=version, conn_id="warehouse", **given)


def versioned(tmp_path: Path, version: str | None = None, **arguments: Any) -> ManifestFolderBundle:
    return bundle(tmp_path, version, versions_folder=str(tmp_path / "kept"), **arguments)


def bag(used: ManifestFolderBundle) -> DagBag:
    return DagBag(dag_folder=str(used.path), bundle_path=used.path, bundle_name="m")


def version_of(used: ManifestFolderBundle) -> str:
    current = used.get_current_version()
    assert current is not None
    return current.version


def test_each_manifest_is_a_file_of_its_own_and_a_broken_one_breaks_alone(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    put(tmp_path / "manifests", "crm")
    write(tmp_path / "manifests" / "bad.json", "{")
    used = bundle(tmp_path)
    used.initialize()
    found = bag(used)
    assert sorted(found.dags) == ["crm", "shop"]
    assert len({dag.fileloc for dag in found.dags.values()}) == 2
    ((file, text),) = found.import_errors.items()
    assert file.startswith("bad_")
    assert "bad.json: " in text


def test_arguments_as_json_can_say_them(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    used = bundle(
        tmp_path,
        arguments={
            "schedule": "@daily",
            "start_date": "2026-01-01",
            "default_args": {"retries": 5},
            "dbt": {"project_dir": "/p", "profile": "p", "target": "t"},
            "per_project": {"shop": {"dag_id": "best"}},
        },
    )
    used.initialize()
    found = bag(used)
    assert found.import_errors == {}
    dag = found.dags["best"]
    assert dag.start_date is not None
    assert dag.start_date.isoformat() == "2026-01-01T00:00:00+00:00"
    assert dag.get_task("a").retries == 5


def test_without_a_folder_of_versions_none_is_claimed(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    used = bundle(tmp_path)
    used.initialize()
    assert not used.supports_versioning
    assert used.get_current_version() is None


def test_a_run_that_asks_for_a_version_that_is_not_kept_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "manifests", "shop")
    with caplog.at_level(logging.WARNING):
        bundle(tmp_path, version="abc").initialize()
    assert "gets what is deployed now" in caplog.text


def test_the_version_is_the_content_and_the_arguments(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    used = versioned(tmp_path)
    used.initialize()
    first = version_of(used)
    time.sleep(0.01)
    put(tmp_path / "manifests", "shop")  # the same bytes at another time
    used.refresh()
    assert version_of(used) == first
    put(tmp_path / "manifests", "shop", "a", "b")
    used.refresh()
    second = version_of(used)
    assert second != first
    put(tmp_path / "manifests", "shop")
    used.refresh()
    assert version_of(used) == first
    other = versioned(tmp_path, arguments={"schedule": "@daily"})
    other.refresh()
    assert version_of(other) not in {first, second}


def test_a_worker_of_another_host_restores_the_version_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "manifests", "shop", "a")
    used = versioned(tmp_path, arguments={"tags": ["old"]})
    used.initialize()
    old = version_of(used)
    put(tmp_path / "manifests", "shop", "b")
    used = versioned(tmp_path, arguments={"tags": ["new"]})
    used.refresh()
    new = version_of(used)
    use_host(tmp_path / "elsewhere", monkeypatch)
    for version, task, tag in ((old, "a", "old"), (new, "b", "new")):
        worker = versioned(tmp_path, version)
        worker.initialize()
        assert worker.path.is_relative_to(tmp_path / "elsewhere")
        dag = bag(worker).dags["shop"]
        assert dag.task_ids == [task]
        assert tag in dag.tags
        assert version_of(worker) == version


def test_versions_in_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryFileSystem()
    attach("memory", fs=memory)
    memory.pipe_file("/b/in/shop/manifest.json", json.dumps(manifest(model("a"))).encode())
    places = {"folder": "memory://b/in", "versions_folder": "memory://b/kept"}
    monkeypatch.setenv("AIRFLOW__DATAOPS__SOURCE_CHECK_SECONDS", "0")
    used = bundle(tmp_path, **places)
    used.initialize()
    old = version_of(used)
    memory.pipe_file("/b/in/shop/manifest.json", json.dumps(manifest(model("b"))).encode())
    used.refresh()
    assert version_of(used) != old
    use_host(tmp_path / "elsewhere", monkeypatch)
    worker = bundle(tmp_path, old, **places)
    worker.initialize()
    assert bag(worker).dags["tiny"].task_ids == ["a"]
    memory.rm("/", recursive=True)


def test_a_version_that_was_deleted_is_named(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    with pytest.raises(ConfigError, match="the version 123 is not kept there"):
        versioned(tmp_path, "123").initialize()


def test_a_folder_that_is_gone_leaves_what_is_deployed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(tmp_path / "manifests", "shop")
    used = versioned(tmp_path)
    used.initialize()
    version = version_of(used)
    path.unlink()
    used.refresh()
    assert version_of(used) == version
    assert "stays as it is" in caplog.text
    assert list(bag(used).dags) == ["shop"]


def test_a_manifest_that_is_removed_takes_its_file_along(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    path = put(tmp_path / "manifests", "crm")
    used = versioned(tmp_path)
    used.initialize()
    path.unlink()
    used.refresh()
    assert list(bag(used).dags) == ["shop"]


def test_only_the_files_of_changed_manifests_are_written_again(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    put(tmp_path / "manifests", "crm")
    used = versioned(tmp_path)
    used.initialize()
    before = {path.name: path.stat().st_ino for path in used.path.glob("*.py")}
    put(tmp_path / "manifests", "crm", "x")
    used.refresh()
    after = {path.name: path.stat().st_ino for path in used.path.glob("*.py")}
    (changed,) = {name for name in after if after[name] != before[name]}
    assert changed.startswith("crm_")


def test_tasks_that_run_as_another_user_may_read_all_files(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop")
    versioned(tmp_path).initialize()
    files = [*(tmp_path / "kept").rglob("*.*"), *(tmp_path / "host" / "m").rglob("*.*")]
    assert {path.stat().st_mode & 0o777 for path in files if path.is_file()} == {0o644}


@pytest.mark.parametrize("argument", ["folder", "versions_folder"])
def test_a_relative_path_is_refused(tmp_path: Path, argument: str) -> None:
    with pytest.raises(ConfigError, match="'here' is a relative path"):
        bundle(tmp_path, **{argument: "here"})


def test_names_that_look_alike_do_not_share_a_file(tmp_path: Path) -> None:
    for name in ("a-b", "a_b", "a b"):
        put(tmp_path / "manifests", name)
    write(tmp_path / "manifests" / "a_b.json", manifest(model("x"), project="flat"))
    used = bundle(tmp_path)
    used.initialize()
    assert len(list(used.path.glob("*.py"))) == 4


def refresh_often(folder: Path) -> str:
    used = versioned(folder)
    for _ in range(20):
        used.refresh()
        found = bag(used)
        assert found.import_errors == {}
    return version_of(used)


def test_processes_may_refresh_at_once(tmp_path: Path) -> None:
    for project in ("shop", "crm"):
        put(tmp_path / "manifests", project)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        versions = pool.map(refresh_often, [tmp_path] * 3)
    assert len(set(versions)) == 1


@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_one_broken_manifest_of_many_leaves_the_others(tmp_path: Path, count: int) -> None:
    for number in range(count):
        put(tmp_path / "manifests", f"project_{number:03}", "a", "b")
    write(tmp_path / "manifests" / "project_023" / "manifest.json", "{")
    used = versioned(tmp_path)
    began = time.perf_counter()
    used.initialize()
    deployed = time.perf_counter()
    found = bag(used)
    parsed = time.perf_counter()
    used.refresh()
    again = time.perf_counter()
    print(  # noqa: T201 - the figures of the proof
        f"{count} manifests: deploy {deployed - began:.2f} s, parse {parsed - deployed:.2f} s, "
        f"refresh of nothing new {again - parsed:.2f} s"
    )
    assert len(found.dags) == count - 1
    assert [file.startswith("project_023_") for file in found.import_errors] == [True]
    assert again - parsed < at_most(5)


def deployed(used: ManifestFolderBundle) -> list[Path]:
    return sorted(used.path.glob("*.py"))


@pytest.mark.parametrize(
    "name",
    [
        'x"""+str(open("P","w").write("ran"))+"""',
        "x'''+str(open('P','w').write('ran'))+'''",
        '\\"""\nopen("P","w").write("ran")\n"""',
        "') or open('P','w').write('ran') or ('",
        "{name}{__import__('os').system('touch P')}",
        "a\r\nopen('P', 'w')\u2028open('P', 'w')",
        "{{ conn.warehouse.password }}",
    ],
)
def test_a_path_never_becomes_code(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "manifests" / name, "shop")
    used = bundle(tmp_path)
    used.initialize()
    assert list(bag(used).dags) == ["shop"]
    assert not list(tmp_path.rglob("P"))
    (file,) = deployed(used)
    (docstring, imported, call) = ast.parse(file.read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(imported, ast.ImportFrom)
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert ast.literal_eval(call.value.args[1]) == f"{name}/shop/manifest.json"


def test_a_path_longer_than_a_file_name_and_one_that_is_no_text(tmp_path: Path) -> None:
    put(tmp_path / "manifests" / "/".join(["long" * 50] * 4), "shop")
    put(tmp_path / "manifests" / "odd\udcff", "crm")
    used = bundle(tmp_path)
    used.initialize()
    assert sorted(bag(used).dags) == ["crm", "shop"]


def test_two_manifests_with_one_dag_id_keep_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "manifests" / "1", "shop", "a")
    put(tmp_path / "manifests" / "2", "shop", "b")
    put(tmp_path / "manifests", "crm")
    used = versioned(tmp_path)
    used.initialize()
    found = bag(used)
    assert {id_: dag.task_ids for id_, dag in found.dags.items()} == {"crm": ["a"], "shop": ["a"]}
    ((_, text),) = found.import_errors.items()
    why = "2/shop/manifest.json: the dag id 'shop' is taken by 1/shop/manifest.json; give this"
    assert why in text
    assert why in caplog.text
    pinned = versioned(tmp_path, version_of(used))
    pinned.initialize()
    assert sorted(bag(pinned).dags) == ["crm", "shop"]


def test_a_part_of_one_project_with_the_dag_id_of_another(tmp_path: Path) -> None:
    nodes = [model(name, project="shop", tags=[name]) for name in ("a", "b")]
    write(tmp_path / "manifests" / "shop.json", manifest(*nodes, project="shop"))
    put(tmp_path / "manifests", "shop__b")
    put(tmp_path / "manifests", "shop__c")
    used = bundle(tmp_path, arguments={"per_project": {"shop": {"split_by": "tag"}}})
    used.initialize()
    found = bag(used)
    assert sorted(found.dags) == ["shop__a", "shop__b", "shop__c"]
    ((_, text),) = found.import_errors.items()
    assert "the dag id 'shop__b' is taken by shop.json" in text


def test_a_dag_id_for_all_manifests_is_for_the_first(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "crm")
    put(tmp_path / "manifests", "shop")
    used = bundle(tmp_path, arguments={"dag_id": "one"})
    used.initialize()
    found = bag(used)
    assert list(found.dags) == ["one"]
    assert len(found.import_errors) == 1


@pytest.mark.parametrize("version", ["../current", "x", "", "a" * 41, "../../../../etc/passwd"])
def test_a_version_never_leaves_its_place(tmp_path: Path, version: str) -> None:
    put(tmp_path / "manifests", "shop")
    versioned(tmp_path).initialize()
    with pytest.raises(ConfigError, match="is 40 hexadecimal digits"):
        kept_version(str(tmp_path / "kept" / "m"), version)
    if version:
        with pytest.raises(ConfigError, match="is 40 hexadecimal digits"):
            versioned(tmp_path, version).initialize()


@pytest.mark.parametrize("key", ["../../../secret", "/etc/passwd", "x.y", "a\n"])
def test_the_index_of_a_version_names_nothing_outside(tmp_path: Path, key: str) -> None:
    put(tmp_path / "manifests", "shop")
    used = versioned(tmp_path)
    used.initialize()
    version = version_of(used)
    index = tmp_path / "kept" / "m" / f"{version}.json"
    write(tmp_path / "kept" / "secret.json", manifest(model("secret")))
    written = json.loads(index.read_text())
    index.write_text(json.dumps({**written, "manifests": {"shop/manifest.json": key}}))
    with pytest.raises(ConfigError):
        versioned(tmp_path, version).initialize()
    index.write_text(json.dumps({**written, "arguments": {"conn_id": "other"}}))
    shutil.rmtree(used.versions_dir, ignore_errors=True)
    with pytest.raises(ConfigError, match="was changed after it was written"):
        versioned(tmp_path, version).initialize()


def test_a_content_that_was_changed_is_not_what_was_deployed(tmp_path: Path) -> None:
    put(tmp_path / "manifests", "shop", "a")
    used = bundle(tmp_path)
    used.initialize()
    (content,) = (used.path / "manifests").glob("*.json")
    write(content, manifest(model("b", project="shop"), project="shop"))
    ((_, text),) = bag(used).import_errors.items()
    assert "shop/manifest.json: its content" in text
    assert "was changed after it was deployed" in text
    used.refresh()
    assert bag(used).dags["shop"].task_ids == ["a"]


@pytest.mark.parametrize("file", ["deployment.json", "*.py"])
def test_a_damaged_file_of_the_deployment_is_written_again(tmp_path: Path, file: str) -> None:
    put(tmp_path / "manifests", "shop", "a")
    used = bundle(tmp_path, arguments={"schedule": "@daily"})
    used.initialize()
    (damaged,) = used.path.glob(file)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole.replace(b"shop", b"shap").replace(b"daily", b"dailz"))
    assert bag(used).dags == {} or file == "*.py"
    used.refresh() if file == "*.py" else bundle(
        tmp_path, arguments={"schedule": "@daily"}
    ).initialize()
    assert damaged.read_bytes() == whole
    assert list(bag(used).dags) == ["shop"]
