"""Pipes, devices, sockets, folders, links into circles, files without an end: in each place that
reads a file, they are told of and nothing hangs."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters import local_files
from airflow_dataops.adapters.contract_files import contract_of_dbt, read_contract
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.adapters.pipeline_store import PipelineStore
from airflow_dataops.adapters.state_store import StateFiles, StoredState
from airflow_dataops.cli.health_files import read_config
from airflow_dataops.core.health.config import HealthConfig
from airflow_dataops.dag_factory.bundle_files import is_whole, project_of, read_deployment
from airflow_dataops.dag_factory.bundle_versions import kept_version
from airflow_dataops.errors import DataOpsError
from airflow_dataops.hooks.alerts import read_alerts_config
from airflow_dataops.hooks.file_listing import list_files
from airflow_dataops.hooks.sla_files import read_sla_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST = 1 << 20
VERSION = "a" * 40


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        before = os.getcwd()
        os.chdir(path.parent)  # the names of sockets are short
        try:
            one.bind(path.name)
        finally:
            os.chdir(before)


def endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST * 100)


ODD: dict[str, Callable[[Path], Any]] = {
    "pipe": os.mkfifo,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "socket": bound,
    "folder": lambda path: path.mkdir(),
    "link to itself": lambda path: path.symlink_to(path),
    "link to nothing": lambda path: path.symlink_to("/nowhere/at/all"),
    "huge": endless,
}
READERS: dict[str, Callable[[Path], Any]] = {
    "manifest": lambda path: open_manifest(path).project(),
    "pipelines": lambda path: PipelineStore(path.parent, None).open(path),
    "state": lambda path: StoredState(StateFiles("state", run_results=str(path))),
    "contract": read_contract,
    "contract of dbt": lambda path: contract_of_dbt(path, "model.a.b"),
    "SLAs": read_sla_file,
    "alerts": lambda path: read_alerts_config(str(path)),
    "health": lambda path: read_config(path, HealthConfig),
}
NOTHING: dict[str, tuple[Callable[[Path], Any], Any]] = {
    "name of a project": (project_of, ""),
    "content of a bundle": (lambda path: is_whole(path, "key"), False),
    "index of a bundle": (lambda path: read_deployment(path.parent), None),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a size that a test can read are too large."""
    monkeypatch.setattr(local_files.read_regular, "__defaults__", (MOST,))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_none_is_named(tmp_path: Path, reader: str, odd: str) -> None:
    path = tmp_path / "deployment.json"
    ODD[odd](path)
    with pytest.raises(DataOpsError, match=r"deployment\.json"):
        READERS[reader](path)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("reader", NOTHING)
def test_a_file_of_ours_that_is_none_is_made_again(tmp_path: Path, reader: str, odd: str) -> None:
    path = tmp_path / "deployment.json"
    ODD[odd](path)
    read, nothing = NOTHING[reader]
    assert read(path) == nothing


@pytest.mark.parametrize("odd", ["pipe", "link to a device", "socket", "folder"])
def test_a_version_of_a_bundle_that_is_no_file_is_told_of(tmp_path: Path, odd: str) -> None:
    ODD[odd](tmp_path / f"{VERSION}.json")
    with pytest.raises(DataOpsError, match=str(tmp_path)):
        kept_version(str(tmp_path), VERSION)


@pytest.mark.parametrize("name", ["rows.csv", "*.csv", "**/*.csv"])
@pytest.mark.parametrize("odd", ["pipe", "link to a device", "socket", "link to nothing"])
def test_rows_in_what_is_no_file_are_refused(tmp_path: Path, odd: str, name: str) -> None:
    """To leave them out, as fsspec does, were to load less than what is there."""
    ODD[odd](tmp_path / "rows.csv")
    if odd == "link to nothing" and name == "rows.csv":
        assert not list_files(f"file://{tmp_path}/{name}", None).marks
        return
    with pytest.raises(DataOpsError, match=r"no regular file"):
        list_files(f"file://{tmp_path}/{name}", None)


def test_a_link_to_a_file_is_that_file_also_under_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "2026.csv").write_text("a\n1\n")
    (tmp_path / "latest.csv").symlink_to(tmp_path / "in" / "2026.csv")
    (tmp_path / "in" / "circle").symlink_to(tmp_path)
    for name in ("latest.csv", "*.csv", "l*t.csv"):
        found = list_files(f"file://{tmp_path}/{name}", None).marks
        assert list(found) == [f"{tmp_path}/latest.csv"]
    assert len(list_files(f"file://{tmp_path}/**/*.csv", None).marks) == 2


def test_a_pattern_of_files_does_not_burn(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*(["a" * 20] * 10))
    deep.mkdir(parents=True)
    (deep / "x.txt").touch()
    for pattern in ("**/" * 40 + "*.csv", "**/" + "*a" * 40 + "b.txt"):
        assert not list_files(f"file://{tmp_path}/{pattern}", None).marks
