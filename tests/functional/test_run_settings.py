"""What the profile and the flags of a project ask, beside `dbt build`: values and verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops import dbt_dag
from tests.host.runs import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: p
flags: {warn_error_options: {error: [LogTestResult]}, fail_fast: true}
models: {+materialized: table}
""",
    "profiles.yml": """
p:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{{ env_var('WH') }}"
      threads: 2
      settings: {default_null_order: nulls_first, TimeZone: Asia/Tokyo, memory_limit: 300MB}
""",
    "models/first.sql": (
        "select row_number() over (order by n) as place, n,"
        " cast(timestamptz '2026-01-01 20:00:00+00' as date) as day"
        " from (values (2), (null), (1)) as t(n)"
    ),
    "models/schema.yml": """
models:
  - name: first
    columns:
      - name: n
        data_tests: [{not_null: {config: {severity: warn}}}, unique]
""",
}


def call(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"WH": str(folder / "wh.duckdb"), "DO_NOT_TRACK": "1"}
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [program, *command[1:]], cwd=folder, env=env, check=False, capture_output=True, text=True
    )


def project(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def rows(folder: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "wh.duckdb")) as connection:
        return connection.execute("from main.first order by place").fetchall()


def test_values_and_verdicts_are_dbts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = project(tmp_path / "theirs", FILES)
    assert call(theirs, "dbt", "--no-fail-fast", "build").returncode == 1
    results = json.loads((theirs / "target" / "run_results.json").read_bytes())["results"]
    told = {r["unique_id"]: (r["status"], r["message"]) for r in results}

    ours = project(tmp_path / "ours", FILES)
    compiled = call(ours, "airflow-dataops", "compile", "-o", "m.json")
    assert compiled.returncode == 0, compiled.stderr
    connection = {"conn_type": "duckdb", "host": str(ours / "wh.duckdb")}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    run = Run(dbt_dag(manifest=str(ours / "m.json"), conn_id="w", engine="sql")).all()
    assert rows(ours) == rows(theirs)
    tests = run.results["first.test"]["tests"]
    verdicts = {each["node"]: (each["status"], each.get("message")) for each in tests}
    assert verdicts == {id_: told[id_] for id_ in verdicts}
    assert len(verdicts) == 2

    shown = call(ours, "airflow-dataops", "plan", "m.json").stdout
    assert "the dbt profile sets memory_limit" in shown
    assert "fail_fast" in shown
