"""Manifests and versions in S3, through Airflow's Amazon provider and moto's server.

Runs where they are installed: pip install 'apache-airflow-providers-amazon[s3fs]' 'moto[server]'.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow.models import Connection

from airflow_dataops import ManifestSource
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import find_sources, local_manifest
from tests.host.manifests import manifest, model
from tests.host.test_bundle import bag, bundle, use_host, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

moto_server = pytest.importorskip("moto.server")
pytest.importorskip("s3fs")
pytest.importorskip("airflow.providers.amazon")

SECRET = "s3cr3t-key"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """One server for all tests: Airflow keeps a storage for as long as its process lives."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of an empty S3 with a bucket `bucket`, which the connection `store` reaches."""
    import boto3

    httpx.post(f"{url}/moto-api/reset", trust_env=False)
    where = {"endpoint_url": url, "region_name": "us-east-1"}
    connection = Connection(
        conn_id="store", conn_type="aws", login="key", password=SECRET, extra=where
    )
    monkeypatch.setenv("AIRFLOW_CONN_STORE", connection.as_json())
    client = boto3.client("s3", **where, aws_access_key_id="key", aws_secret_access_key=SECRET)
    client.create_bucket(Bucket="bucket")
    return client


def put(s3: Any, key: str, *models: str) -> bytes:
    body = json.dumps(manifest(*map(model, models))).encode()
    s3.put_object(Bucket="bucket", Key=key, Body=body)
    return body


def test_an_object_is_read_when_its_etag_changes(s3: Any) -> None:
    body = put(s3, "shop/manifest.json", "a")
    for place in (
        ManifestSource("s3://store@bucket/shop/manifest.json", check_every=0),
        ManifestSource("s3://bucket/shop/manifest.json", conn_id="store", check_every=0),
    ):
        assert local_manifest(place).read_bytes() == body
        assert local_manifest(place).read_bytes() == body
    body = put(s3, "shop/manifest.json", "b")
    assert local_manifest(place).read_bytes() == body


def test_a_folder_is_listed_anew_each_time(s3: Any) -> None:
    put(s3, "m/shop/manifest.json", "a")
    put(s3, "m/notes/other.json", "a")
    folder = ManifestSource("s3://store@bucket/m", check_every=0)
    (found,) = find_sources(folder)
    first = local_manifest(found)
    assert local_manifest(find_sources(folder)[0]) == first
    body = put(s3, "m/shop/manifest.json", "b")
    put(s3, "m/crm.json", "c")
    crm, shop = find_sources(folder)
    assert str(crm) == "s3://bucket/m/crm.json"
    assert local_manifest(shop).read_bytes() == body


def test_what_is_missing_is_told_without_secrets(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert s3
    with caplog.at_level(logging.INFO), pytest.raises(ConfigError) as raised:
        local_manifest(ManifestSource("s3://store@bucket/none.json"))
    assert "s3://bucket/none.json cannot be had: there is no such file" in str(raised.value)
    assert SECRET not in caplog.text


def test_a_bucket_that_is_not_there_is_told(s3: Any) -> None:
    assert s3
    with pytest.raises(ConfigError, match="s3://nowhere/m"):
        find_sources(ManifestSource("s3://store@nowhere/m"))


def test_a_bundle_keeps_its_versions_there(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_host(tmp_path / "here", monkeypatch)
    monkeypatch.setenv("AIRFLOW__DATAOPS__SOURCE_CHECK_SECONDS", "0")
    places = {"folder": "s3://store@bucket/in", "versions_folder": "s3://store@bucket/kept"}
    put(s3, "in/shop/manifest.json", "a")
    used = bundle(tmp_path, **places)
    used.initialize()
    old = version_of(used)
    put(s3, "in/shop/manifest.json", "b")
    used.refresh()
    assert version_of(used) != old
    use_host(tmp_path / "elsewhere", monkeypatch)
    worker = bundle(tmp_path, old, **places)
    worker.initialize()
    assert bag(worker).dags["tiny"].task_ids == ["a"]
