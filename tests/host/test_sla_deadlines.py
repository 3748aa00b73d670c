"""The deadlines that Airflow makes of SLAs, in a real metadata database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from airflow_dataops.core.sla.policies import SCHEDULED_RUNS, AfterInterval
from airflow_dataops.plugins.sla_plugin import SlaPlugin
from airflow_dataops.slas.references import SlaDue

ROOT = Path(__file__).parents[2]
FRIDAY = ["2026-11-20T02:00", "2026-11-20T03:00", "2026-11-20T06:00", "2026-11-20T08:30"]


def made(count: int, home: Path) -> dict[str, Any]:
    """Store a DAG of so many tasks with SLAs, and make runs of it."""
    home.mkdir()
    quiet = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.host.deadline_process", str(count)],
        env=os.environ | quiet | {"AIRFLOW_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("count", [35, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_run_has_a_deadline_for_each_time_at_which_something_is_due(
    count: int, tmp_path: Path
) -> None:
    """Whatever the number of tasks; and none for what a run does not owe.

    Seven SLAs, of which two have no time that is known when the run is made.
    """
    found = made(count, tmp_path / "home")
    tokyo = "2026-11-20T22:00"
    assert [at[:16] for at in found["scheduled"]] == [*FRIDAY, tokyo]
    workday = "2026-11-20T06:00"
    saturday = [at.replace("-20T", "-21T") for at in FRIDAY if at != workday]
    assert [at[:16] for at in found["saturday"]] == [*saturday, "2026-11-21T22:00"]
    assert found["manual"] == []
    assert [at[:16] for at in found["backfill"]] == ["2026-12-04T03:00"]
    assert len(found["asset_triggered"]) == 4
    assert found["alerts"] == 5
    assert found["versions"] == 1


def test_a_reference_survives_the_database_and_is_registered() -> None:
    reference = SlaDue.of(AfterInterval(minutes=90), SCHEDULED_RUNS)
    stored = json.loads(json.dumps(reference.serialize_reference()))
    assert SlaDue.deserialize_reference(stored) == reference
    assert stored["reference_type"] == "SlaDue"
    assert SlaPlugin.deadline_references == [SlaDue]


@pytest.mark.parametrize("due", ["", "{", '{"type": "by_moon"}'])
def test_one_that_cannot_be_read_never_keeps_a_run_from_being_made(
    due: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = SlaDue(due=due, run_types="scheduled")
    assert broken._evaluate_with(session=cast(Any, None), dag_id="shop", run_id="r") is None
    assert "Run r of shop gets no deadline" in caplog.text
