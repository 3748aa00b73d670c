"""`airflow-dataops backfill` against a real Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.adapters.airflow_rest import PASSWORD, TOKEN, URL, USERNAME

if TYPE_CHECKING:
    from tests.functional.started import StartedAirflow

DAG = """
    from datetime import datetime
    from pathlib import Path
    from airflow.sdk import dag, task

    FOLDER = Path(__file__).parent

    @dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False)
    def {dag_id}():
        @task(retries=0)
        def note(ds=None):
            with (FOLDER / "{dag_id}.noted").open("a") as file:
                file.write(ds + "\\n")
            if ds == "{bad}" and not (FOLDER / "{dag_id}.mended").exists():
                raise ValueError("this day is bad")

        note()

    {dag_id}()
"""


def environment(airflow: StartedAirflow) -> dict[str, str]:
    login = airflow.api.login
    return {
        **{name: value for name, value in os.environ.items() if name != TOKEN},
        URL: airflow.api.url,
        USERNAME: login["username"],
        PASSWORD: login["password"],
    }


def run(
    airflow: StartedAirflow, *arguments: str, timeout: float = 180
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airflow_dataops.cli", "backfill", *arguments]
    return subprocess.run(
        command,
        env=environment(airflow),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def noted(airflow: StartedAirflow, dag_id: str) -> list[str]:
    file = airflow.dags / f"{dag_id}.noted"
    return file.read_text().split() if file.exists() else []


def test_a_range_is_run_once_and_in_order_though_its_watcher_is_killed(
    airflow: StartedAirflow,
) -> None:
    dag_id = "backfilled"
    airflow.drop(f"{dag_id}.py", DAG.format(dag_id=dag_id, bad="2026-02-03"), dag_id)
    days = [f"2026-02-0{day}" for day in range(1, 6)]

    shown = run(airflow, dag_id, days[0], days[-1], "--dry-run")
    assert [line[:10] for line in shown.stdout.split()] == days
    assert noted(airflow, dag_id) == []

    # Killed while it watches: Airflow goes on, and asking again takes it up.
    watching = subprocess.Popen(
        [sys.executable, "-m", "airflow_dataops.cli", "backfill", dag_id, days[0], days[-1]],
        env=environment(airflow),
    )
    deadline = time.monotonic() + 60
    while not noted(airflow, dag_id) and time.monotonic() < deadline:
        time.sleep(0.2)
    watching.kill()
    watching.wait()
    done = run(airflow, dag_id, days[0], days[-1])
    assert "1 failed, 4 success" in done.stdout, done
    assert done.returncode == 1
    assert noted(airflow, dag_id) == days  # one at a time: in order, each once


@pytest.mark.slow  # Airflow takes up to half a minute to call the first backfill complete.
def test_failed_dates_run_again(airflow: StartedAirflow) -> None:
    dag_id = "backfilled_again"
    airflow.drop(f"{dag_id}.py", DAG.format(dag_id=dag_id, bad="2026-02-02"), dag_id)
    days = ["2026-02-01", "2026-02-02", "2026-02-03"]
    first = run(airflow, dag_id, days[0], days[-1])
    assert "1 failed, 2 success" in first.stdout
    (airflow.dags / f"{dag_id}.mended").touch()
    again = run(airflow, dag_id, days[0], days[-1], "--rerun", "failed", "--parallel", "3")
    assert (again.returncode, again.stderr) == (0, "")
    assert "3 success" in again.stdout
    assert noted(airflow, dag_id) == [*days, "2026-02-02"]


def test_what_cannot_be_run_is_said_clearly(airflow: StartedAirflow) -> None:
    missing = run(airflow, "nosuch", "2026-02-01", "2026-02-02")
    assert missing.returncode == 1
    assert "answered 404" in missing.stderr
    assert "nosuch" in missing.stderr
    reversed_ = run(airflow, "nosuch", "someday", "2026-02-02")
    assert reversed_.returncode == 2


def test_a_stranger_is_refused(airflow: StartedAirflow) -> None:
    command = [sys.executable, "-m", "airflow_dataops.cli", "backfill"]
    wrong = environment(airflow) | {PASSWORD: "wrong"}
    answer = subprocess.run(
        [*command, "x", "2026-02-01", "2026-02-02"],
        env=wrong,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert "does not know this AIRFLOW_API_USERNAME" in answer.stderr
    assert "Traceback" not in answer.stderr
