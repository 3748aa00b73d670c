"""What all tests share: a home for Airflow of their own, made before anyone imports it."""

from __future__ import annotations

import gc
import itertools
import os
import tempfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests import accounts, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

pytest_plugins = ["pytester", "tests.clock", "tests.cost"]

_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-", ignore_cleanup_errors=True)
_NUMBERS = itertools.count()

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.update(
    AIRFLOW_HOME=_HOME.name,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="False",
)

# How long a machine takes to think of an example tells nothing about what is tested. The same
# code meets the same examples, so that a change is judged by what it changes; new ones are looked
# for by the slow tests (--hypothesis-profile search).
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", BUSY)
settings.register_profile("same", BUSY, derandomize=True)
settings.load_profile("same")

WITHOUT_CHUNK = pytest.StashKey[list[str]]()
"""The slow tests that were collected and belong to no chunk."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chunk", choices=chunks.CHUNKS, help="run the slow tests of this chunk")
    parser.addoption("--record-dbt", action="store_true", help="ask dbt, record what it answers")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.chunk:
        config.option.markexpr = "slow"
    accounts.choose(config.option.markexpr)


def pytest_unconfigure() -> None:
    gc.unfreeze()  # nanobind calls what is left at the exit leaked


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
    _leave_samples(items)
    slow = {item: _chunk_of(item) for item in items if item.get_closest_marker("slow")}
    config.stash[WITHOUT_CHUNK] = [item.nodeid for item, chunk in slow.items() if chunk is None]
    items.sort(key=lambda item: item.path.name != "test_smoke.py")  # it waits more than it works
    if chosen := config.option.chunk:
        config.hook.pytest_deselected(items=[i for i in items if slow.get(i) != chosen])
        items[:] = [item for item in items if slow.get(item) == chosen]


def _leave_samples(items: list[pytest.Item]) -> None:
    """Mark as slow what is in no sample.

    A number that shares no factor with the lengths of a test's lists leaves each value in.
    """
    seen: Counter[str] = Counter()
    for item in items:
        sample = item.get_closest_marker("sample")
        if sample is None or item.get_closest_marker("slow"):
            continue
        function = item.nodeid.partition("[")[0]
        if seen[function] % sample.args[0]:
            item.add_marker(pytest.mark.slow)
        seen[function] += 1


def _chunk_of(item: pytest.Item) -> str | None:
    path = item.path.relative_to(item.config.rootpath).as_posix()
    return chunks.chunk_of(path, chunks.engine_of(item))


WITHOUT_AIRFLOW = {
    "test_compile.py",
    "test_dags_test.py",
    "test_oracle_projects.py",
    "test_same_day_twice.py",
    "test_selection_oracle.py",
    "test_smoke.py",
}
"""Functional tests that do without the shared Airflow."""

ON_EMULATORS = {"test_bigquery_files.py", "test_loads_partition.py", "test_loads_sql.py"}
"""Tests of `contract` that run on emulators each time."""


class Together(LoadScopeScheduling):
    """Keeps together what shares something dear: a file's fixtures, Airflow, the emulators.

    xdist 3.8 has marks for it, which pytest 9.2 no longer lets it write into the tests' ids.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, _, name = file.rpartition("/")
        needs_airflow = folder == "tests/functional" and name not in WITHOUT_AIRFLOW
        needs_emulators = folder == "tests/contract" and name in ON_EMULATORS
        return folder if needs_airflow or needs_emulators else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """Let each file run in one of the parallel test processes."""
    return Together(config, log)


@pytest.fixture(autouse=True)
def own_manifest_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the manifests that another one read."""
    monkeypatch.setenv("AIRFLOW_HOME", f"{_HOME.name}/{next(_NUMBERS)}")
