"""What all tests share: a home for Airflow of their own, made before anyone imports it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests import accounts

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares something dear: a file's fixtures, the functional Airflow.

    Each group runs in one of the parallel test processes. First, because
    xdist's own hook writes the marks that it finds into the tests' ids.
    """
    for item in items:
        shared = "airflow" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("airflow" if shared else str(item.path)))


@pytest.fixture(autouse=True)
def own_manifest_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the manifests that another one read."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    return
