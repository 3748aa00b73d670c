"""Damaged files of the cache: never another answer, never an error."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters import cache, manifest_store, pipeline_store
from airflow_dataops.adapters.download_cache import DownloadCache, DownloadState
from airflow_dataops.adapters.ledger.database import Database
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.pipeline_store import PipelineStore
from airflow_dataops.adapters.plan_store import PlanRequest, SplitRequest, open_plan, open_split
from airflow_dataops.adapters.record_file import BrokenRecordFileError, RecordFile, write_records
from airflow_dataops.core.plan import split_options
from airflow_dataops.dag_factory.bundle_files import (
    INDEX,
    Deployment,
    is_deployed,
    is_whole,
    read_deployment,
    write_deployment,
)
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPLIT = SplitRequest(options=split_options(split_by="tag"))
KINDS = {".manifest", ".plan", ".split", ".key", ".state", ".pipelines"}
PIPELINES = {
    "one.pipeline.yaml": "dag_id: one\ntasks: {a: {operator: bash, bash_command: echo 1}}\n",
    "two.pipeline.yaml": "dag_id: two\ntasks: {b: {operator: empty}, c: {operator: empty}}\n",
}
LONG_AGO = 1_700_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nodes = [
        model(name, *parents, tags=[name], compiled_code=f"select {number} as id")
        for number, (name, parents) in enumerate({"a": (), "b": ("a",), "c": ("b",)}.items())
    ]
    path = write(tmp_path / "manifest.json", manifest(*nodes))
    for name, text in PIPELINES.items():
        (tmp_path / name).write_text(text)
    for each in tmp_path.iterdir():
        os.utime(each, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of contents are noted at once, by any clock: the files here do not change."""
    monkeypatch.setattr(cache, "_SETTLED", float("-inf"))
    monkeypatch.setattr(pipeline_store, "_SETTLED", float("-inf"))


def answers(file: Path) -> Any:
    """All that a process may ask of a manifest, in the order of a process that knows nothing."""
    manifest_store._projects.clear()
    stored = open_manifest(file)
    ids = ["model.tiny.a", "model.tiny.b", "model.tiny.c"]
    code = [stored.code(id_) for id_ in ids]
    nodes = [stored.node(id_) for id_ in ids]
    plan = open_plan(stored, PlanRequest())
    tasks = [plan.task(name) for name in ("a", "b", "c", "d")]
    split = open_split(stored, PlanRequest(), SPLIT)
    parts = [split.plan(place).tasks() for place in range(len(split.parts))]
    project, session, state = stored.project(), stored.session(), stored.state()
    planned = (plan.head, plan.profiles(), plan.slas(), tasks, plan.tasks(), split.parts, parts)
    return (stored.key, code, nodes, project, session, state, *planned, pipelines(file.parent))


def pipelines(folder: Path) -> Any:
    """As a parse reads all, and a worker its one."""
    parse = PipelineStore(folder, None)
    found = [parse.open(folder / name).pipelines for name in PIPELINES]
    parse.close()
    worker = PipelineStore(folder, None).find("two")
    assert worker is None or worker[1].pipelines == found[1]  # None: it reads all, as a parse does
    return found


def files() -> list[Path]:
    return sorted(path for path in cache.folder().iterdir() if path.is_file())


def flipped(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ chance.randint(1, 255)]) + data[place + 1 :]


@pytest.mark.parametrize("flips", [50, pytest.param(2_000, marks=pytest.mark.slow)])
def test_a_flipped_byte_never_gives_another_answer(file: Path, flips: int) -> None:
    """In packs of nodes, SQL and plans, in lists of parts and in notes of keys."""
    expected, chance = answers(file), random.Random(flips)
    assert {path.suffix for path in files()} == KINDS
    for _ in range(flips):
        damaged = chance.choice(files())
        damaged.write_bytes(flipped(damaged.read_bytes(), chance))
        assert answers(file) == expected


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other(path: Path) -> None:
    """Another whole file of the same kind."""
    write_records(path.with_name("x"), b"\x90", {"model.tiny.a": {}}, {"code model.tiny.a": {}})
    path.with_name("x").replace(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def gone(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


DAMAGES: list[Callable[[Path], object]] = [
    truncated,
    other,
    folder,
    pipe,
    gone,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"\xff\xfe"),
    lambda path: path.write_bytes(b"\x00" * path.stat().st_size),
    lambda path: path.chmod(0),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_again(file: Path, damage: Callable[[Path], object]) -> None:
    expected = answers(file)
    for path in files():
        damage(path)
        assert answers(file) == expected


def test_a_pack_under_the_name_of_another_is_broken(tmp_path: Path) -> None:
    write_records(tmp_path / "a", b"", {"k": 1}, {})
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(BrokenRecordFileError):
        RecordFile(tmp_path / "b")


def test_damage_is_told_in_one_line(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers(file)
    (pack,) = cache.folder().glob("*.manifest")
    truncated(pack)
    with caplog.at_level("INFO"):
        answers(file)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"{pack.name} was damaged, or is of another release: it is made again"


def test_a_cache_that_cannot_be_written_is_done_without(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answers(file)
    (tmp_path / "taken").write_text("a file where the folder would be")
    for home in ("/proc/nowhere", str(tmp_path / "taken"), "/dev/full/x"):
        monkeypatch.setenv("AIRFLOW_HOME", home)
        assert answers(file) == expected


def test_a_manifest_that_is_replaced_while_it_is_read_is_not_kept_as_another(file: Path) -> None:
    answers(file)
    opened = open_manifest(file)
    for pack in cache.folder().glob("*.manifest"):
        pack.unlink()
    manifest_store._projects.clear()
    write(file, manifest(model("a", compiled_code="select 'other'")))
    with pytest.raises(ConfigError, match="was replaced while it was being read"):
        opened.code("model.tiny.a")
    assert open_manifest(file).code("model.tiny.a").sql == "select 'other'"


@pytest.mark.parametrize("flips", [40, pytest.param(2_000, marks=pytest.mark.slow)])
def test_a_damaged_download_is_no_download(flips: int) -> None:
    chance, copies = random.Random(1), DownloadCache("i", "https://host/m.json")
    with copies.scratch() as scratch:
        scratch.write(b'{"nodes": {"a": 1}}')
        name = copies.keep(scratch)
    state = DownloadState(name, "v", checked=1.0, good=1.0)
    copies.write(state)
    whole = {path: path.read_bytes() for path in copies.folder.iterdir()}
    assert copies.read() == state
    for _ in range(flips):
        path = chance.choice(list(whole))
        path.write_bytes(flipped(whole[path], chance))
        assert copies.read() in (DownloadState(), state)
        assert path.suffix == ".lock" or copies.read() == DownloadState()
        path.write_bytes(whole[path])
    (copies.folder / "odd.json").write_text("{}")
    copies.evict(name, 1)
    assert copies.read() == state


@pytest.mark.parametrize("flips", [40, pytest.param(2_000, marks=pytest.mark.slow)])
def test_a_damaged_deployment_of_a_bundle_is_none(tmp_path: Path, flips: int) -> None:
    """Its index and its DAG files are written again; a content is not taken for another."""
    chance, content = random.Random(flips), tmp_path / "content.json"
    content.write_bytes(b'{"nodes": {"a": 1}}')
    key = cache.key_of(content.read_bytes())
    deployment = Deployment(manifests={"shop/manifest.json": key}, arguments={"conn_id": "w"})
    write_deployment(tmp_path, deployment)
    (dag_file,) = tmp_path.glob("*.py")
    for _ in range(flips):
        path = chance.choice([tmp_path / INDEX, dag_file, content])
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, chance))
        assert read_deployment(tmp_path) == (None if path.name == INDEX else deployment)
        assert is_deployed(tmp_path, deployment) == (path != dag_file)
        assert is_whole(content, key) == (path != content)
        path.write_bytes(whole)
    assert read_deployment(tmp_path) == deployment


def test_ledger_downloads_and_caches_are_private(file: Path, tmp_path: Path) -> None:
    answers(file)
    copies = DownloadCache("i", "https://host/m.json")
    with copies.scratch() as scratch, copies.locked(0):
        copies.write(DownloadState(copies.keep(scratch)))
    before = tmp_path / "before.db"
    before.touch(0o644)
    before.chmod(0o644)
    shared = tmp_path / "shared.db"
    shared.touch()
    shared.chmod(0o660)
    for name in ("new", "before", "shared"):
        database = Database(f"sqlite:///{tmp_path / name}.db")
        with database.write() as connection:
            connection.exec_driver_sql("create table t (a int)")
            assert len(list(tmp_path.glob(f"{name}.db*"))) > 1
            found = {path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{name}.db*")}
            assert found == {0o660 if name == "shared" else 0o600}
        database.close()
    for path in [*files(), *copies.folder.iterdir()]:
        assert path.stat().st_mode & 0o777 == 0o600, path
