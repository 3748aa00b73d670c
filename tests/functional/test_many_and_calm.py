"""Under Airflow's own dag-processor: many manifests of which one is broken; calm DAG versions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.functional.test_bundle import settings
from tests.host.manifests import manifest, model, write
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from pathlib import Path

    from tests.functional.started import StartedAirflow

MANIFESTS = 300
PARSES = 200
SECONDS = 480
CALM = """
from airflow_dataops import load_dags

# An airflow dag.
load_dags({manifest!r}, globals(), conn_id="calm", dag_id="calm", max_active_runs=4)
"""


@pytest.mark.slow
def test_one_broken_manifest_of_300_leaves_299_dags_and_one_import_error(tmp_path: Path) -> None:
    """As the REST API tells it, which the web pages ask."""
    folder = tmp_path / "manifests"
    names = [f"project_{number:03d}" for number in range(MANIFESTS)]
    for name in names:
        content = manifest(model("first", project=name), project=name)
        write(folder / name / "manifest.json", content)
    write(folder / names[150] / "manifest.json", '{"metadata": {"cut off')
    expected = {name for name in names if name != names[150]}
    with LocalAirflow(settings(tmp_path)) as airflow:
        airflow.api.wait_for_dags(sorted(expected), SECONDS, airflow.check)
        assert airflow.api.dag_ids() == expected
        (error,) = airflow.api.import_errors()
        assert names[150] in error.filename
        assert f"{names[150]}/manifest.json" in error.stack_trace


def wait_for_parse(airflow: StartedAirflow, after: str | None) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        parsed = airflow.api.dag("calm")["last_parsed_time"]
        if parsed != after:
            return str(parsed)
        time.sleep(0.05)
    raise AssertionError("the file is not parsed any more")


@pytest.mark.slow
def test_many_parses_of_a_recompiled_manifest_are_one_version(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """Runs go on all the while: only then does Airflow add versions instead of replacing them."""

    def compiled(number: int, code: str = "select 1 as id") -> None:
        nodes = (model("first", compiled_code=code), model("second", "first"))
        content = manifest(
            *nodes, generated_at=f"2026-01-01T00:{number:06d}Z", invocation_id=str(number)
        )
        write(tmp_path / "new.json", content).replace(path)

    path = tmp_path / "m.json"
    compiled(0)
    airflow.api.add_connection("calm", "duckdb", host=str(tmp_path / "wh.duckdb"))
    airflow.drop("calm.py", CALM.format(manifest=str(path)), "calm")
    runs = []
    parsed = wait_for_parse(airflow, None)
    for number in range(1, PARSES + 1):
        if number % 20 == 1:
            runs.append(airflow.api.trigger("calm"))
        compiled(number)
        airflow.api.reparse("calm")
        parsed = wait_for_parse(airflow, parsed)
    for run in runs:
        done = airflow.api.wait_for_run(run, 180, check=airflow.airflow.check)
        assert done.state == "success"
    assert len(airflow.api.dag_versions("calm")) == 1
    compiled(PARSES + 1, "select 2 as id")
    airflow.api.reparse("calm")
    wait_for_parse(airflow, parsed)
    assert len(airflow.api.dag_versions("calm")) == 2
