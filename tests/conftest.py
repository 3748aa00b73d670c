"""What all tests share: a home for Airflow of their own, made before anyone imports it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import accounts

if TYPE_CHECKING:
    from pathlib import Path

    from xdist.remote import Producer

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


def pytest_configure(config: pytest.Config) -> None:
    accounts.choose(config.option.markexpr)


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
    return
