"""What the profile set at the compile is so in the sessions of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops import dbt_dag
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.plan import make_plan, plan_options
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

OURS = {
    "version": 2,
    "session": {"default_null_order": "nulls_first", "s3_secret_access_key": "x"},
    "left_out": ["attach"],
}
SQL = "select current_setting('default_null_order') as found"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    asking = {**model("a"), "compiled_code": SQL}
    return write(tmp_path / "m.json", manifest(asking, dataops=OURS))


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_a_models_query_runs_with_what_the_profile_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path, granularity: str
) -> None:
    connection = {"conn_type": "duckdb", "host": str(tmp_path / "wh.duckdb")}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    run = Run(dbt_dag(manifest=file, conn_id="w", granularity=granularity)).all()
    assert set(run.states.values()) == {"success"}, run.errors
    with duckdb.connect(str(tmp_path / "wh.duckdb")) as warehouse:
        assert warehouse.execute("from a").fetchall() == [("NULLS_FIRST",)]


def test_what_is_not_listed_is_read_from_no_manifest(file: Path) -> None:
    """From the cache and from the file alike."""
    for _ in range(2):
        assert open_manifest(file).session() == {"default_null_order": "nulls_first"}


def test_what_sessions_are_not_given_is_told_where_sql_runs_a_node(file: Path) -> None:
    project: Any = open_manifest(file).project()
    (warning,) = make_plan(project).warnings
    assert "the dbt profile sets attach" in warning
    assert make_plan(project, plan_options(engine="dbt")).warnings == ()
