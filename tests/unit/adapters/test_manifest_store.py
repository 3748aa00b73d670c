"""Manifests as files: read once, whatever happens to the cache."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from airflow_dataops.adapters import manifest_store
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.errors import ConfigError, ManifestError

SHOP = Path(__file__).parents[3] / "dags" / "manifests" / "shop" / "manifest.json"
NOBODY = 65534


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Forget what this process decoded."""
    manifest_store._projects.clear()


def packs() -> list[Path]:
    return sorted((Path(os.environ["AIRFLOW_HOME"]) / "dataops" / "cache").glob("*.manifest"))


def test_what_is_stored_is_what_was_read() -> None:
    read = read_manifest(SHOP.read_bytes(), source="shop")
    for _ in range(2):
        manifest_store._projects.clear()
        stored = open_manifest(SHOP)
        assert stored.project() == read.project
        for id_, node in read.project.nodes.items():
            assert stored.node(id_) == node
        for id_, code in read.code.items():
            assert stored.code(id_) == code


def test_a_manifest_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    open_manifest(SHOP).project()
    manifest_store._projects.clear()
    monkeypatch.setattr("airflow_dataops.core.manifests.read_manifest", None)
    assert open_manifest(SHOP).project().name == "shop"


def test_the_same_content_elsewhere_is_the_same_pack(tmp_path: Path) -> None:
    copy = Path(shutil.copy(SHOP, tmp_path / "copy.json"))
    open_manifest(SHOP).project()
    open_manifest(copy).project()
    assert len(packs()) == 1


@pytest.mark.parametrize("keep", [0, 1, 8, 100, -1, -20])
def test_a_broken_pack_is_made_again(keep: int) -> None:
    expected = open_manifest(SHOP).project()
    (pack,) = packs()
    whole = pack.read_bytes()
    pack.write_bytes(whole[:keep])
    manifest_store._projects.clear()
    assert open_manifest(SHOP).project() == expected
    assert packs()[0].read_bytes() == whole


def test_a_host_that_cannot_write_reads_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/proc/nowhere")
    assert open_manifest(SHOP).project().name == "shop"


def test_a_number_that_no_pack_can_hold_is_read_afresh(tmp_path: Path) -> None:
    text = SHOP.read_text().replace('"config":{', '"config":{"huge":1180591620717411303424,', 1)
    path = tmp_path / "manifest.json"
    path.write_text(text)
    nodes = open_manifest(path).project().nodes.values()
    assert [node.config["huge"] for node in nodes if "huge" in node.config] == [2**70]
    assert packs() == []


def _read_nodes(_: int) -> int:
    return len(open_manifest(SHOP).project().nodes)


def test_many_processes_may_read_and_write_at_once() -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_read_nodes, range(12)))) == 1
    assert len(packs()) == 1
    assert not list(packs()[0].parent.glob("*.tmp"))


def test_a_node_that_is_gone_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"no node 'model.shop.gone'.*Clear the task"):
        open_manifest(SHOP).node("model.shop.gone")


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gone.json: no such file; run `airflow-dataops compile`"
    ):
        open_manifest(tmp_path / "gone.json")


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.json").touch()
    with pytest.raises(ManifestError, match=r"m.json: the file is empty"):
        open_manifest(tmp_path / "m.json")


def test_a_file_without_permission_is_named() -> None:
    """Also when the tests run as root, to whom every file is readable: then as somebody else."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "m.json"
        file.write_text("{}")
        file.chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(ConfigError, match=r"m.json cannot be read \(Permission denied\)"):
                open_manifest(file)
        finally:
            os.seteuid(user)
