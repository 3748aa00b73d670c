"""Running a day again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests import read_manifest
from tests.oracle.databases import DuckDBFile
from tests.oracle.dbt_process import Dbt
from tests.oracle.engine_side import Engine
from tests.oracle.projects import REPOSITORY, SHOP
from tests.oracle.state import Clock, State, differences, read_state

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = REPOSITORY / "dags" / "manifests" / "shop" / "manifest.json"


def test_running_the_same_day_of_the_shop_twice_changes_nothing(tmp_path: Path) -> None:
    """The source system delivers the second day again, and all of the shop is built again."""
    file = tmp_path / "shop.duckdb"
    manifest = read_manifest(MANIFEST.read_bytes(), source=MANIFEST.name)
    database = DuckDBFile(file)
    engine = Engine(manifest, database, Dbt(SHOP, SHOP.directory, database, tmp_path))
    states: list[State] = []

    for day in (0, 1, 1):
        with database.open() as runner:
            SHOP.load(runner, day)
        _, errors = engine.build(set(manifest.project.nodes), full_refresh=False)
        assert not errors
        with database.open() as runner:
            states.append(read_state(runner, Clock(())))

    assert differences(states[0], states[1]), "the second day must bring something"
    assert not differences(states[1], states[2])
