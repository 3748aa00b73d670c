"""Engine `dbt` runs its node and nothing else, or fails: with the real dbt, on DuckDB."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops import DbtConfig, dbt_dag
from tests.host.runs import Store, Ti

pytestmark = pytest.mark.slow

PROFILES = """
p:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('WH') }}", schema: dev}
    prod: {type: duckdb, path: "{{ env_var('WH') }}", schema: prod}
"""
APPEND = "{{ config(materialized='incremental', incremental_strategy='append') }} select 1 as n"
FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: p\nmodels: {+materialized: table}\n",
    "profiles.yml": PROFILES,
    # `fqn:shop.orders` is this model and the whole folder of that name; likewise the others.
    "models/orders.sql": "select 1 as n",
    "models/orders/more.sql": APPEND,
    "models/orders/deep/orders_again.sql": APPEND,
    "models/orders/deep.sql": "select 2 as n",
    "seeds/codes.csv": "code\n1\n",
    "seeds/codes/others.csv": "code\n2\n",
    "models/schema.yml": (
        "models:\n"
        "  - name: orders\n    columns: [{name: n, data_tests: [not_null]}]\n"
        "  - name: more\n    columns: [{name: n, data_tests: [not_null]}]\n"
    ),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    dbt = Path(sys.executable).with_name("dbt")
    command = [dbt, "parse", "--profiles-dir", str(folder), "--project-dir", str(folder)]
    env = os.environ | {"WH": str(folder / "wh.duckdb"), "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    (folder / "manifest.json").write_bytes((folder / "target" / "manifest.json").read_bytes())
    return folder


class Shop:
    """The project as a DAG in which dbt runs every node."""

    def __init__(self, folder: Path, file: Path, target: str = "dev") -> None:
        self.file = file
        self.dag = dbt_dag(
            manifest=str(folder / "manifest.json"),
            conn_id="warehouse",
            engine="dbt",
            dbt=DbtConfig(
                project_dir=str(folder), profile="p", target=target, env={"WH": str(file)}
            ),
        )

    def run(self, task_id: str) -> None:
        task: Any = self.dag.get_task(task_id)
        context: Any = {
            "ti": Ti(1),
            "run_id": "r",
            "params": dict(self.dag.params.dump()),
            "outlet_events": defaultdict(SimpleNamespace),
            "task_state_store": Store(),
        }
        task.full_refresh = False
        task.execute(context)

    def tables(self) -> dict[str, int]:
        with duckdb.connect(str(self.file)) as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables order by 1"
            ).fetchall()
            return {name: len(connection.execute(f"from {name}").fetchall()) for (name,) in names}


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "wh.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"duckdb://{str(file).replace('/', '%2F')}")
    monkeypatch.setenv("WH", str(file))
    duckdb.connect(str(file)).close()
    return file


@pytest.mark.parametrize(
    ("task_id", "built"),
    [
        ("orders", {"dev.orders": 1}),
        ("deep", {"dev.deep": 1}),
        ("codes", {"dev.codes": 1}),
    ],
)
def test_a_node_is_built_and_no_folder_of_its_name(
    compiled: Path, warehouse: Path, task_id: str, built: dict[str, int]
) -> None:
    shop = Shop(compiled, warehouse)
    shop.run(task_id)
    assert shop.tables() == built


def test_a_test_runs_alone(compiled: Path, warehouse: Path) -> None:
    """The table of the other test does not exist: it would be an error."""
    shop = Shop(compiled, warehouse)
    shop.run("orders")
    shop.run("orders.test")


def test_a_project_that_lost_the_node_is_no_success(
    compiled: Path, warehouse: Path, tmp_path: Path
) -> None:
    """dbt says that there is nothing to do, and ends well."""
    older = tmp_path / "older"
    subprocess.run(["cp", "-r", str(compiled), str(older)], check=True)
    (older / "models" / "orders.sql").unlink()
    (older / "models" / "schema.yml").unlink()
    shop = Shop(older, warehouse)
    with pytest.raises(AirflowFailException, match=r"dbt finds no model.shop.orders"):
        shop.run("orders")
    assert shop.tables() == {}


def test_another_target_is_refused_before_anything_is_built(
    compiled: Path, warehouse: Path
) -> None:
    shop = Shop(compiled, warehouse, target="prod")
    with pytest.raises(AirflowFailException, match=r"is .*dev.orders in the manifest.*prod.orders"):
        shop.run("orders")
    assert shop.tables() == {}
