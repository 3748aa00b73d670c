"""Manifests over HTTP and in object storage, in DAG files as Airflow's own DagBag sees them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models import Connection
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_dataops import ManifestSource
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import find_sources, local_manifest
from tests.fakes.http_server import Server, http_server
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Server]:
    with http_server() as running:
        running.content["/shop/manifest.json"] = encoded("shop")
        yield running


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """An object storage of this process, at memory://."""
    storage = MemoryFileSystem()
    attach("memory", fs=storage)
    attach("memory", conn_id="store", fs=storage)
    yield storage
    storage.rm("/", recursive=True)


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch) -> str:
    connection = Connection(conn_id="ci", conn_type="http", login="bot", password="s3cret")
    monkeypatch.setenv("AIRFLOW_CONN_CI", connection.as_json())
    return "ci"


def encoded(project: str) -> bytes:
    return json.dumps(manifest(model("a", project=project), project=project)).encode()


def bag(folder: Path, call: str) -> DagBag:
    folder.mkdir(exist_ok=True)
    (folder / "dags.py").write_text(
        f"from airflow_dataops import ManifestSource, dbt_dag, load_dags  # airflow DAG\n{call}\n"
    )
    return DagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="test")


def test_a_dag_from_a_url(server: Server, tmp_path: Path) -> None:
    call = f'dag = dbt_dag(manifest="{server.url}/shop/manifest.json", conn_id="w")'
    for _ in range(3):
        found = bag(tmp_path / "dags", call)
        assert found.import_errors == {}
        assert found.dags["shop"].task_ids == ["a"]
    assert server.statuses() == [200]


def test_a_broken_manifest_is_called_by_its_url(server: Server, tmp_path: Path) -> None:
    server.content["/shop/manifest.json"] = b'{"results": []}'
    url = f"{server.url}/shop/manifest.json"
    found = bag(tmp_path / "dags", f'dag = dbt_dag(manifest="{url}?token=hidden", conn_id="w")')
    (text,) = found.import_errors.values()
    assert f"{url}?[hidden]: " in text


def test_a_connection_of_airflow_authorizes(
    server: Server, tmp_path: Path, ci: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for place in (
            ManifestSource(f"{server.url}/shop/manifest.json", conn_id=ci),
            ManifestSource(f"{server.url}/shop/manifest.json".replace("//", "//ci@")),
        ):
            local_manifest(place)
    assert server.statuses() == [200]
    assert server.asked[0].headers["authorization"] == "Basic Ym90OnMzY3JldA=="
    assert "s3cret" not in caplog.text
    assert "Ym90OnMzY3JldA" not in caplog.text


def test_a_password_alone_is_a_bearer_token_and_extra_headers_are_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection(
        conn_id="t", conn_type="http", password="tok", extra={"headers": {"X-Team": "data"}}
    )
    monkeypatch.setenv("AIRFLOW_CONN_T", connection.as_json())
    local_manifest(ManifestSource(f"{server.url}/shop/manifest.json", conn_id="t"))
    assert server.asked[0].headers["authorization"] == "Bearer tok"
    assert server.asked[0].headers["x-team"] == "data"


def test_a_connection_that_is_not_there_is_named(server: Server) -> None:
    with pytest.raises(ConfigError, match="the connection 'nobody' cannot be read"):
        local_manifest(ManifestSource(f"{server.url}/shop/manifest.json", conn_id="nobody"))
    assert server.asked == []


def test_settings_come_from_the_section_dataops(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__SOURCE_CHECK_SECONDS", "0")
    place = ManifestSource(f"{server.url}/shop/manifest.json")
    local_manifest(place)
    local_manifest(place)
    assert server.statuses() == [200, 304]
    local_manifest(ManifestSource(place.uri, check_every=60))
    assert server.statuses() == [200, 304]


def test_a_folder_of_files_by_uri_loads_and_one_bad_manifest_does_not_take_the_rest(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    for project in ("shop", "crm"):
        path = store / project / "manifest.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(encoded(project))
    write(store / "bad.json", "<html>Sign in</html>")
    write(store / "dbt_packages" / "x" / "manifest.json", "{}")
    write(store / "notes" / "other.json", "{}")
    found = bag(tmp_path / "dags", f'load_dags("file://{store}", globals(), conn_id="w")')
    assert sorted(found.dags) == ["crm", "shop"]
    (text,) = found.import_errors.values()
    assert f"file://{store}/bad.json cannot be had" in text
    assert "login page" in text


@pytest.mark.parametrize("folder", ["memory://bucket/m", "memory://store@bucket/m/"])
def test_a_folder_in_object_storage(memory: MemoryFileSystem, tmp_path: Path, folder: str) -> None:
    for project in ("shop", "crm"):
        memory.pipe_file(f"/bucket/m/{project}/manifest.json", encoded(project))
    found = bag(tmp_path / "dags", f'load_dags("{folder}", globals(), conn_id="w")')
    assert found.import_errors == {}
    assert sorted(found.dags) == ["crm", "shop"]


def test_a_listing_says_which_files_to_read_again(memory: MemoryFileSystem) -> None:
    """Two requests for two manifests that are known: one listing each time, nothing else."""
    memory.pipe_file("/bucket/m/a.json", encoded("a"))
    memory.pipe_file("/bucket/m/b.json", encoded("b"))
    folder = ManifestSource("memory://bucket/m", check_every=0)
    before = [local_manifest(found) for found in find_sources(folder)]
    memory.pipe_file("/bucket/m/b.json", encoded("changed"))
    opened = []
    real = memory.open
    memory.open = lambda path, *a, **k: opened.append(path) or real(path, *a, **k)  # type: ignore[func-returns-value,method-assign]
    try:
        after = [local_manifest(found) for found in find_sources(folder)]
    finally:
        del memory.open
    assert [path.endswith("b.json") for path in opened] == [True]
    assert after[0] == before[0]
    assert after[1].read_bytes() == encoded("changed")
    assert before[1].read_bytes() == encoded("b")


def test_an_object_that_did_not_change_is_not_read_again(memory: MemoryFileSystem) -> None:
    path = ObjectStoragePath("memory://bucket/manifest.json")
    path.write_bytes(encoded("shop"))
    place = ManifestSource(str(path), check_every=0)
    first = local_manifest(place)
    assert local_manifest(place) == first
    path.write_bytes(encoded("crm"))
    assert local_manifest(place).read_bytes() == encoded("crm")


def test_an_object_that_is_gone_serves_from_the_copy(
    memory: MemoryFileSystem, caplog: pytest.LogCaptureFixture
) -> None:
    memory.pipe_file("/bucket/manifest.json", encoded("shop"))
    place = ManifestSource("memory://bucket/manifest.json", check_every=0)
    first = local_manifest(place)
    memory.rm("/bucket/manifest.json")
    with caplog.at_level(logging.WARNING):
        assert local_manifest(place) == first
    assert "memory://bucket/manifest.json cannot be had: there is no such file" in caplog.text


def test_an_empty_folder_in_object_storage_is_an_error(memory: MemoryFileSystem) -> None:
    with pytest.raises(ConfigError, match="no manifest in this folder"):
        find_sources(ManifestSource("memory://bucket/none"))


def test_a_storage_whose_provider_is_missing_says_so() -> None:
    with pytest.raises(ConfigError, match=r"abfs://bucket/m\.json(?s:.*)install the Airflow prov"):
        local_manifest(ManifestSource("abfs://bucket/m.json"))


def test_a_folder_over_http_cannot_be_listed(server: Server) -> None:
    with pytest.raises(ConfigError, match="cannot be listed over HTTP"):
        find_sources(ManifestSource(f"{server.url}/shop/"))
    url = f"{server.url}/shop/manifest.json"
    assert find_sources(ManifestSource(url)) == [ManifestSource(url)]
