"""Old versions of a bundle go, and never one that somebody needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.bundles import base
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_dataops.dag_factory import bundle_pruning, bundle_versions
from airflow_dataops.dag_factory.bundle import ManifestFolderBundle
from airflow_dataops.dag_factory.bundle_files import Deployment
from airflow_dataops.dag_factory.bundle_pruning import Keeping, prune
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600.0
NOW = 1_800_000_000.0
AGES = (100, 90, 60, 40, 29, 10, 1)
"""Days since each version was deployed."""


class Clock:
    """Stands for the module `time`."""

    now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bundle_pruning, "time", clock)
    monkeypatch.setattr(bundle_versions, "time", clock)
    return clock


@pytest.fixture(params=["folder", "storage"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "kept")
    attach("memory", fs=MemoryFileSystem())
    return f"memory://kept/{tmp_path.name}"


def deployed(*contents: str) -> Deployment:
    return Deployment({f"{place}.json": key for place, key in enumerate(contents)}, {})


def keep_all(place: str, tmp_path: Path, clock: Clock) -> list[str]:
    """Version i has the contents i and `same`; the oldest two share one more."""
    versions = []
    for number, age in enumerate(AGES):
        shared = ("old",) if number < 2 else ()
        version = deployed(f"c{number}", "same", *shared)
        for key in version.manifests.values():
            write(tmp_path / "contents" / f"{key}.json", key)
        clock.now = NOW - age * DAY
        bundle_versions.keep_version(place, version, tmp_path / "contents", is_new=True)
        versions.append(version.version)
    clock.now = NOW
    return versions


def contents(place: str) -> set[str]:
    return {path.name for path in bundle_versions._path(place, "manifests").iterdir()}


@pytest.mark.parametrize(
    ("keeping", "dropped"),
    [
        # The fourth was deployed 40 days ago, and replaced 29 days ago.
        (Keeping(2, 30), {0, 1, 2}),
        (Keeping(5, 30), {0, 1}),
        (Keeping(2, 59), {0, 1}),
        (Keeping(7, 0), set()),
        (Keeping(2, 1000), set()),
        (Keeping(2, 0), {0, 1, 2, 3, 4}),
    ],
)
def test_what_is_old_and_not_among_the_newest_goes(
    place: str, tmp_path: Path, clock: Clock, keeping: Keeping, dropped: set[int]
) -> None:
    versions = keep_all(place, tmp_path, clock)
    assert set(prune(place, keeping, frozenset())) == {versions[number] for number in dropped}
    left = set(range(len(AGES))) - dropped
    assert set(bundle_versions.kept_versions(place)) == {versions[number] for number in left}
    old = set() if dropped >= {0, 1} else {"old.json"}
    assert contents(place) == {f"c{number}.json" for number in left} | {"same.json"} | old


def test_the_version_of_a_run_under_way_stays_whole(
    place: str, tmp_path: Path, clock: Clock
) -> None:
    versions = keep_all(place, tmp_path, clock)
    assert versions[1] not in prune(place, Keeping(2, 0), frozenset({versions[1]}))
    kept = bundle_versions.kept_version(place, versions[1])
    assert {f"{key}.json" for key in kept.manifests.values()} <= contents(place)
    assert "c0.json" not in contents(place)


def test_a_version_that_is_deployed_again_is_new_again(
    place: str, tmp_path: Path, clock: Clock
) -> None:
    versions = keep_all(place, tmp_path, clock)
    again = deployed("c0", "same", "old")
    bundle_versions.keep_version(place, again, tmp_path / "contents", is_new=True)
    assert versions[0] not in prune(place, Keeping(2, 0), frozenset())


def test_a_bundle_prunes_when_it_deploys_and_asks_airflow_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "host"))
    monkeypatch.setattr(base, "STALE_BUNDLE_TRACKING_FOLDER", tmp_path / "_tracking")
    given: dict[str, Any] = {"folder": str(tmp_path / "in"), "versions_folder": str(tmp_path / "v")}
    used = ManifestFolderBundle(
        name="m", conn_id="warehouse", keep_versions=2, keep_days=1, **given
    )
    answer: list[frozenset[str] | None] = []
    monkeypatch.setattr(bundle_pruning, "versions_in_use", lambda: answer[-1])

    def deploy(number: int) -> set[str]:
        clock.now += 2 * DAY
        write(tmp_path / "in" / "manifest.json", manifest(model(f"m{number}")))
        used.refresh()
        return set(bundle_versions.kept_versions(str(tmp_path / "v" / "m")))

    answer.append(None)
    for number in range(4):
        kept = deploy(number)
    assert len(kept) == 4, "Airflow could not be asked"
    pinned = min(kept, key=lambda version: bundle_versions.kept_versions(used._store)[version].at)
    answer.append(frozenset({pinned}))
    kept = deploy(4)
    assert len(kept) == 3, "the newest two, and that of the run"
    assert pinned in kept
    answer.append(frozenset())
    used.refresh()
    assert set(bundle_versions.kept_versions(used._store)) == kept, "nothing was deployed"
    kept = deploy(5)
    assert len(kept) == 2
    assert pinned not in kept


@pytest.mark.parametrize(
    ("argument", "value"),
    [("keep_versions", 1), ("keep_versions", "5"), ("keep_days", -1), ("keep_days", None)],
)
def test_other_numbers_are_refused(tmp_path: Path, argument: str, value: object) -> None:
    wrong: dict[str, Any] = {argument: value}
    with pytest.raises(ConfigError, match=f"bundle m: {argument}: expected"):
        ManifestFolderBundle(name="m", folder=str(tmp_path), conn_id="warehouse", **wrong)


ASK = """
import json
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.types import DagRunType
from airflow_dataops.dag_factory.bundle_pruning import versions_in_use

print(versions_in_use())
initdb()
with create_session() as session:
    session.add(DagBundleModel(name="m"))
    session.flush()
    session.add(DagModel(dag_id="d", bundle_name="m", fileloc="f", bundle_version="current"))
    for state in ("queued", "running", "success", "failed"):
        run = DagRun(dag_id="d", run_id=state, run_type=DagRunType.MANUAL, state=state)
        run.bundle_version = "of " + state
        session.add(run)
print(json.dumps(sorted(versions_in_use())))
"""


def test_airflow_tells_the_versions_of_runs_and_dags(tmp_path: Path) -> None:
    """In a process of its own, with a new database: without tables nothing is known."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "None" in lines
    assert json.loads(lines[-1]) == ["current", "of queued", "of running"]
