"""`airflow dags test`, the command with which a newcomer tries a DAG."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.duckdb_runner import open_duckdb
from tests.oracle.projects import load_shop

ROOT = Path(__file__).parents[2]
DAG_FILE = """
from airflow_dataops import load_dags

# An airflow dag per manifest; sources of January are stale by now.
load_dags({folder!r}, globals(), conn_id="warehouse", freshness="skip")
"""


def test_a_project_of_twenty_models_runs(tmp_path: Path) -> None:
    with open_duckdb(str(tmp_path / "shop.duckdb")) as connection:
        load_shop(connection, 0)
    (tmp_path / "dags").mkdir()
    text = DAG_FILE.format(folder=str(ROOT / "dags" / "manifests"))
    (tmp_path / "dags" / "shop.py").write_text(text)
    warehouse = {"conn_type": "duckdb", "host": str(tmp_path / "shop.duckdb")}
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(warehouse),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }
    airflow = Path(sys.executable).with_name("airflow")
    for command in (["db", "migrate"], ["dags", "test", "shop", "2026-01-05"]):
        done = subprocess.run(
            [airflow, *command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "state=success" in done.stdout + done.stderr
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        ((orders,),) = connection.execute("select count(*) from marts.fct_orders").fetchall()
    assert orders > 100
