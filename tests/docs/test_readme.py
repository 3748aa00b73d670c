"""README, block by block."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.blocks import ROOT, block
from tests.docs.running import run, slas_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.docs.running import Desk

LOAD_DAGS = block("README.md", 1)
COMPILE = block("README.md", 4)
COMPILE_AGAIN = block("docs/engine.md", 2)
TABLES = block("README.md", 5)
ORDERS = block("README.md", 6)
RUNS = block("README.md", 7)
LOOK = block("README.md", 8)
SEEN = block("README.md", 9)


def test_a_manifest_in_a_folder_is_a_dag_that_runs(desk: Desk, shop: Callable[..., Path]) -> None:
    """A task per model, without dbt."""
    shop()
    dags = desk.dags(LOAD_DAGS)
    assert list(dags) == ["shop"]
    assert sorted(dags["shop"].task_ids) == ["dim_customers", "fct_orders", "stg_orders"]
    run(dags["shop"])
    assert desk.rows("from wh.main.fct_orders order by id") == [(1, 10), (3, 7)]
    assert desk.rows("from wh.main.dim_customers order by all") == [("ada",), ("bob",)]


def test_the_load_ends_with_the_rows_that_are_shown(desk: Desk) -> None:
    """Run twice, as the page says."""
    desk.run_file(TABLES)
    warehouse = desk.folder / "warehouse.duckdb"
    desk.connect("warehouse", warehouse)
    (dag,) = desk.dags(ORDERS).values()
    assert run(dag)["merge"]["updated"] == 1
    assert run(dag)["merge"]["inserted"] == 0
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        desk.run_file(LOOK)
    assert printed.getvalue() == SEEN.text


def test_the_sla_is_set(desk: Desk) -> None:
    (dag,) = desk.dags(ORDERS).values()
    (sla,) = slas_of(dag)
    assert (sla.task_id, sla.name) == ("merge", "by 07:00 Europe/Berlin")


@pytest.mark.slow
def test_the_commands_run_as_they_are_written(tmp_path: Path) -> None:
    """With Airflow's own command line and database."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "orders.py").write_text(ORDERS.text)
    python(TABLES.text, tmp_path)
    shell(RUNS.text, tmp_path)
    assert python(LOOK.text, tmp_path) == SEEN.text


def test_the_page_on_engines_compiles_as_readme_does() -> None:
    assert COMPILE.text.startswith(COMPILE_AGAIN.text)


@pytest.mark.slow
def test_a_dbt_project_is_compiled_and_planned(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "demo" / "shop", tmp_path / "my_project")
    shown = shell(COMPILE.text, tmp_path, SHOP_DUCKDB=str(tmp_path / "shop.duckdb"))
    assert (tmp_path / "dags" / "manifests" / "my_project" / "manifest.json").stat().st_size > 1000
    assert re.search(r"\d+ tasks, \d+ by sql, 0 by dbt", shown)


def python(code: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def shell(commands: str, folder: Path, **variables: str) -> str:
    """Run commands of ours; the first that fails ends it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env=kept | {"PATH": path} | variables,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
