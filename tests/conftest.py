"""What all tests share: a home for Airflow of their own, made before anyone imports it."""

from __future__ import annotations

import gc
import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import accounts, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xdist.remote import Producer

pytest_plugins = ["tests.cost"]

_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-", ignore_cleanup_errors=True)

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.update(
    AIRFLOW_HOME=_HOME.name,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="False",
)

MISPLACED = pytest.StashKey[list[str]]()
"""The slow tests that were collected and do not belong to exactly one chunk."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chunk", choices=chunks.CHUNKS, help="run the slow tests of this chunk")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.chunk:
        config.option.markexpr = "slow"
    accounts.choose(config.option.markexpr)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Import without collecting garbage, and never look again at what was imported."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    places = {
        item: chunks.chunks_of(
            item.path.relative_to(config.rootpath).as_posix(), chunks.engine_of(item)
        )
        for item in items
        if item.get_closest_marker("slow")
    }
    config.stash[MISPLACED] = [
        f"{item.nodeid}: {names or 'in no chunk'}"
        for item, names in places.items()
        if len(names) != 1
    ]
    if chunk := config.option.chunk:
        others = [item for item in items if chunk not in places.get(item, ())]
        items[:] = [item for item in items if chunk in places.get(item, ())]
        config.hook.pytest_deselected(items=others)


WITHOUT_AIRFLOW = {
    "test_compile.py",
    "test_dags_test.py",
    "test_oracle_projects.py",
    "test_same_day_twice.py",
    "test_selection_oracle.py",
}
"""Functional tests that start none: dbt answers, or a DAG runs by itself."""


class Together(LoadScopeScheduling):
    """Keeps together what shares something dear: a file's fixtures, the functional Airflow.

    xdist 3.8 has marks for it, which pytest 9.2 no longer lets it write into the tests' ids.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, _, name = file.rpartition("/")
        needs_airflow = folder == "tests/functional" and name not in WITHOUT_AIRFLOW
        return folder if needs_airflow else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Let each file run in one of the parallel test processes."""
    return Together(config, log)


@pytest.fixture(autouse=True)
def own_manifest_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the manifests that another one read."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
