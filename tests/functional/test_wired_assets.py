"""Under the real scheduler: a table's asset starts its readers, whoever wrote it in what words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.functional.started import scheduled_airflow
from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.started import StartedAirflow

pytestmark = pytest.mark.slow

TIMEOUT = 150.0

READER = """
    from datetime import datetime, timezone
    from airflow_dataops import load_dags

    # The airflow dag of {base}.
    load_dags(
        {manifest!r}, globals(), conn_id={base!r}, dag_id="{base}_dbt", start_on="source:raw.src",
        default_args={{"retries": 0}}
    )
"""
LOADS = """
    from airflow.sdk import DAG
    from airflow_dataops import ReplaceOperator

    with DAG("{base}_two_parts", schedule=None):
        ReplaceOperator(task_id="load", conn_id={base!r}, target="main.src", sql="select 7 as n")

    with DAG("{base}_capitals", schedule=None):
        ReplaceOperator(
            task_id="load", conn_id={base!r}, target='"WH".Main.SRC', sql="select 8 as n"
        )

    with DAG("{base}_template", schedule=None):
        ReplaceOperator(
            task_id="load", conn_id={base!r}, target="wh.main.{{{{ 'src' }}}}",
            sql="select 9 as n"
        )

    with DAG("{base}_mapped", schedule=None):
        ReplaceOperator.partial(task_id="load", conn_id={base!r}, target="wh.main.src").expand(
            sql=["select 10 as n"]
        )
"""
OWN = """
    from airflow.sdk import DAG, Asset, task
    from airflow_dataops import asset_of

    with DAG("{base}_by_uri", schedule=[Asset("dataops://{base}/wh/main/up")]):
        task(lambda: None, task_id="done")()

    with DAG("{base}_by_helper", schedule=[asset_of("wh.main.up", {base!r})]):
        task(lambda: None, task_id="done")()
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedAirflow]:
    """An Airflow of this module alone, whose scheduler makes runs."""
    with scheduled_airflow(tmp_path_factory.mktemp("wired"), "wired") as started:
        yield started


def prepare(airflow: StartedAirflow, folder: Path, base: str) -> str:
    """A model `up` over the source `src`, on a DuckDB file; return the path of its manifest."""
    file = folder / "wh.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table src as select 1 as n")
    airflow.api.add_connection(base, "duckdb", host=str(file))
    source = {
        "unique_id": "source.tiny.raw.src",
        "resource_type": "source",
        "source_name": "raw",
        "name": "src",
        "identifier": "src",
        "package_name": "tiny",
        "original_file_path": "models/s.yml",
        "path": "models/s.yml",
        "fqn": ["tiny", "raw", "src"],
        "database": "wh",
        "schema": "main",
        "config": {"enabled": True},
    }
    up = model("up", **sql('select n from "wh"."main"."src"'))
    up["depends_on"]["nodes"] = ["source.tiny.raw.src"]
    content = manifest(up)
    content["sources"] = {source["unique_id"]: source}
    return str(write(folder / "m.json", content))


def runs(airflow: StartedAirflow, dag_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = airflow.api.get(f"/dags/{dag_id}/dagRuns")["dag_runs"]
    return found


def wait_for(airflow: StartedAirflow, dag_id: str, count: int) -> None:
    """Wait until a DAG has had so many runs, all started by assets and all good."""
    deadline = time.monotonic() + TIMEOUT
    while len(found := runs(airflow, dag_id)) < count or not all(
        run["state"] in ("success", "failed") for run in found
    ):
        assert time.monotonic() < deadline, (dag_id, found)
        time.sleep(0.5)
    assert len(found) == count
    assert {(run["run_type"], run["state"]) for run in found} == {("asset_triggered", "success")}


@pytest.mark.parametrize("first", ["own", "models"])
def test_loads_start_models_and_models_start_dags_of_ones_own(
    airflow: StartedAirflow, tmp_path: Path, first: str
) -> None:
    """Whichever file is parsed first; the target in two parts, in capitals, as template."""
    base = f"wired_{first}"
    path = prepare(airflow, tmp_path, base)
    own = ("own", OWN.format(base=base), (f"{base}_by_uri", f"{base}_by_helper"))
    models = ("models", READER.format(base=base, manifest=path), (f"{base}_dbt",))
    for name, source, ids in (own, models) if first == "own" else (models, own):
        airflow.drop(f"{base}_{name}.py", source, *ids)
    kinds = ("two_parts", "capitals", "template", "mapped")
    ids = [f"{base}_{kind}" for kind in kinds]
    airflow.drop(f"{base}_loads.py", LOADS.format(base=base), *ids)
    for number, id_ in enumerate(ids, 1):
        run = airflow.run(id_)
        assert run.state == "success", airflow.tasks(run)
        wait_for(airflow, f"{base}_dbt", number)
        wait_for(airflow, f"{base}_by_uri", number)
        wait_for(airflow, f"{base}_by_helper", number)
        with duckdb.connect(str(tmp_path / "wh.duckdb"), read_only=True) as connection:
            assert connection.execute("from up").fetchall() == [(6 + number,)]
