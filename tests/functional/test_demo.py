"""The demo's main job on a small DAG: what it prints, its exit codes, and what is left running."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
# A model that adds the day's rows to the warehouse, and its tests.
DAG = """
    import json, os
    from datetime import datetime
    from airflow.sdk import dag, get_current_context, task

    @dag(schedule="@daily", start_date=datetime(2026, 1, 1))
    def shop():
        @task
        def build():
            import duckdb

            day = get_current_context()["logical_date"].date()
            warehouse = json.loads(os.environ["AIRFLOW_CONN_WAREHOUSE"])["host"]
            with duckdb.connect(warehouse) as connection:
                connection.execute("create table if not exists sales (day date)")
                connection.execute("insert into sales values (?)", [day])
            return {"node": "sales", "relation": "sales", "action": "updated", "rows": 1}

        @task(retries=0)
        def check(built):
            if os.environ.get("BROKEN"):
                raise ValueError("sales are [bold] wrong")
            return {"tests": [{"status": "pass"}, {"status": "warn"}]}

        check(build())

    shop()
"""
PROGRAM = """
import sys
from datetime import date
from pathlib import Path
from tools.demo import Demo, main
folder = Path(sys.argv[1])
demo = Demo(
    dag_ids=("shop",),
    days=(date(2026, 1, 5), date(2026, 1, 6)),
    query="select day from sales order by day",
    folder=folder / "demo",
    dags_folder=folder / "dags",
)
sys.exit(main([], demo))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "shop.py").write_text(textwrap.dedent(DAG))
    return tmp_path


def demo(folder: Path, monkeypatch: pytest.MonkeyPatch, *, broken: bool) -> subprocess.Popen[str]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if broken:
        monkeypatch.setenv("BROKEN", "1")
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def nothing_runs_in(folder: Path) -> bool:
    """Whether no process has the folder as its own Airflow home."""
    home = str(folder / "demo" / "airflow")
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == home:
                return False
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return True


def test_two_days_run_and_are_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = demo(folder, monkeypatch, broken=False)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out
    assert re.search(r"success  build \(\d", out), "progress is printed while it runs"
    assert len(re.findall(r"1 pass 1 warn", out)) == 4, "two days and their totals"
    table = out.partition("select day from sales")[2]
    assert re.findall(r"2026-01-0\d", table) == ["2026-01-05", "2026-01-06"]
    assert "Nothing is left running" in out
    assert nothing_runs_in(folder)


def test_a_failing_task_ends_it_with_the_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = demo(folder, monkeypatch, broken=True)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 1, out
    assert "check failed. The end of its log:" in out
    assert "ValueError: sales are [bold] wrong" in out
    assert nothing_runs_in(folder)


def test_ctrl_c_leaves_nothing_running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = demo(folder, monkeypatch, broken=False)
    deadline = time.monotonic() + 60
    while not (folder / "demo" / "airflow" / "processes" / "scheduler.log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Nothing is left running" in out
    assert nothing_runs_in(folder)
