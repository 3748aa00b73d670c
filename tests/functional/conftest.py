"""One Airflow for all functional tests; starting it takes a quarter of a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.emulators.snowflake import certificates
from tests.functional import metadata
from tests.functional.started import StartedAirflow
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


QUICK = {"test_compile.py", "test_oracle_projects.py", "test_selection_oracle.py", "test_smoke.py"}
"""What `make test` runs of this folder; in these files, too, tests may be marked as slow."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.functional)
            if item.path.name not in QUICK:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedAirflow]:
    """A running Airflow with an empty DAG folder; schedules are off, tests trigger runs."""
    folder = tmp_path_factory.mktemp("airflow")
    dags = folder / "dags"
    dags.mkdir()
    settings = Settings(
        home=folder / "home",
        dags_folder=dags,
        parse_seconds=2,
        scheduled=False,
        environment={
            "REQUESTS_CA_BUNDLE": str(certificates()[0]),
            **metadata.environment(metadata.database("airflow")),
        },
    )
    with LocalAirflow(settings) as running:
        yield StartedAirflow(running, dags)
