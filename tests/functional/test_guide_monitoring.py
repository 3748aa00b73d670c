"""The commands that the orchestration guide prints, run by a shell as they are printed.

BigQuery and Airflow's REST API are fakes over HTTP; the commands are the installed ones.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.fakes.bigquery import FakeBigQuery, fake_bigquery
from tests.fakes.http_server import http_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.http_server import Server

EXAMPLES = Path(__file__).parents[2] / "examples" / "orchestration"
BIN = Path(sys.executable).parent


def run_of(minutes: float, number: int = 0, state: str = "success") -> dict[str, Any]:
    due = datetime.now(UTC) - timedelta(days=number, hours=3)
    return {
        "dag_run_id": f"scheduled__{number}",
        "dag_id": "daily_aggregation",
        "dag_display_name": "daily_aggregation",
        "logical_date": due.isoformat(),
        "queued_at": due.isoformat(),
        "start_date": due.isoformat(),
        "end_date": (due + timedelta(minutes=minutes)).isoformat(),
        "data_interval_start": None,
        "data_interval_end": None,
        "run_after": due.isoformat(),
        "last_scheduling_decision": None,
        "run_type": "scheduled",
        "state": state,
        "triggered_by": None,
        "triggering_user_name": None,
        "conf": {},
        "note": None,
        "dag_versions": [],
        "bundle_version": None,
        "partition_key": None,
        "duration": minutes * 60,
    }


class World:
    """A folder, a BigQuery and an Airflow, for commands as a shell runs them."""

    def __init__(self, folder: Path, bigquery: FakeBigQuery, airflow: Server) -> None:
        self.folder, self.bigquery, self.airflow = folder, bigquery, airflow
        self.runs("~")
        self.runs("daily_aggregation", *(run_of(30 + number, number) for number in range(12)))
        self.orders(timedelta(minutes=30))

    def runs(self, dag: str, *runs: dict[str, Any]) -> None:
        answer = {"dag_runs": list(runs), "total_entries": len(runs)}
        self.airflow.content[f"/api/v2/dags/{dag}/dagRuns"] = json.dumps(answer).encode()

    def orders(self, age: timedelta) -> None:
        """Let fct_orders have 1,000 rows a day, the newest of this age."""
        self.bigquery.execute("create schema if not exists dataset")
        self.bigquery.execute(
            "create or replace table dataset.fct_orders as select"
            f" now() - interval '{age.total_seconds()} seconds' as created_at,"
            " (current_date - 1 - (i % 8)::int) as order_date, i as id from range(8000) as t(i)"
        )

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "BIGQUERY_EMULATOR_HOST": self.bigquery.url,
            "AIRFLOW_API_URL": self.airflow.url,
            "AIRFLOW_API_TOKEN": "token",
        }

    @contextmanager
    def running(self, script: str) -> Iterator[subprocess.Popen[bytes]]:
        """Let a script run during the block; at its end interrupt it and all that it started."""
        (self.folder / "log").touch()
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=self.folder, env=self.environ, start_new_session=True
        )
        try:
            yield process
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def sh(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    shutil.copytree(EXAMPLES, tmp_path / "examples" / "orchestration")
    with fake_bigquery() as bigquery, http_server() as airflow:
        made = World(tmp_path, bigquery, airflow)
        copied = made.sh(
            "cp examples/orchestration/health-config.json ./health-config.json\n"
            "cp examples/orchestration/sla-config.json ./sla-config.json"
        )
        assert copied.returncode == 0
        yield made


def test_quick_start(world: World) -> None:
    health = world.sh("pipeline-health-monitor --config health-config.json")
    assert health.returncode == 0, health.stdout + health.stderr
    assert "PASS  project.dataset.fct_orders freshness" in health.stdout
    assert "PASS  airflow failures: No DAG run failed." in health.stdout
    assert "PASS  warehouse costs" in health.stdout
    sla = world.sh("sla-tracker --config sla-config.json --report")
    assert sla.returncode == 0, sla.stdout + sla.stderr
    assert "PASS  daily_aggregation completion_time (critical): 1 runs: 1 met" in sla.stdout
    assert "12 of 12" in sla.stdout


@pytest.mark.slow
def test_checks_and_ci(world: World) -> None:
    done = world.sh(
        "pipeline-health-monitor --config health-config.json --output results.json &&"
        "pipeline-health-monitor \\\n --config health-config.json \\\n --output health-results.json"
        " &&\nsla-tracker --config sla-config.json &&\n"
        "sla-tracker --config sla-config.json --report --format markdown --output sla-report.md"
        " &&\nsla-tracker --config sla-config.json --report --output sla-report.json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = world.json("results.json")
    assert {each["status"] for each in found["checks"]} == {"PASS"}
    assert found["summary"]["health_score"] == 100
    assert world.json("health-results.json")["summary"]["total_checks"] == 4
    assert (world.folder / "sla-report.md").read_text().startswith("# SLA compliance\n")
    report = world.json("sla-report.json")
    assert report["summary"]["compliance_rate"] == 100
    assert report["compliance"][0]["rate"] == 100
    assert report["compliance"][0]["suggested_minutes"] == pytest.approx([48.5, 52.6], abs=0.2)


def test_violations(world: World) -> None:
    """A table that is too old and runs that took too long: exit 1, and who it concerns."""
    world.orders(timedelta(hours=3))
    world.runs("~", run_of(5, state="failed"))
    world.runs("daily_aggregation", run_of(61))
    assert world.sh("pipeline-health-monitor --config health-config.json -o r.xml").returncode == 1
    suite = ElementTree.parse(world.folder / "r.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    done = world.sh("sla-tracker --config sla-config.json --output sla.json")
    assert done.returncode == 1
    violations = world.json("sla.json")["violations"]
    assert [(each["critical"], each["table"]) for each in violations] == [
        (True, "daily_aggregation"),
        (True, "project.dataset.fct_orders"),
    ]


def test_what_cannot_be_checked_is_exit_3(world: World) -> None:
    done = world.sh("pipeline-health-monitor --config health-config.json", AIRFLOW_API_URL="")
    assert done.returncode == 3
    assert "ERROR airflow failures: Which Airflow?" in done.stdout
    world.bigquery.execute("drop table dataset.fct_orders")
    done = world.sh("sla-tracker --config sla-config.json")
    assert done.returncode == 3
    assert "ERROR project.dataset.fct_orders table (critical): There is no table" in done.stdout


def test_misuse_is_exit_2(world: World) -> None:
    (world.folder / "bad.json").write_text('{"tables": [{"table": "a"}], "chek_costs": true}')
    done = world.sh("pipeline-health-monitor --config bad.json")
    assert done.returncode == 2
    assert "bad.json: 3 mistakes:" in done.stderr
    assert "  - $.tables[0].table_id: It is missing." in done.stderr
    assert world.sh("sla-tracker --nonsense").returncode == 2
    assert world.sh("sla-tracker").returncode == 2
    assert world.sh("pipeline-health-monitor --config nowhere.json").returncode == 2


@pytest.mark.parametrize(("tebibytes", "said"), [(20, "High cost alert!\n"), (10, "")])
def test_daily_cost_check(world: World, tebibytes: int, said: str) -> None:
    """With jq where it is installed; elsewhere Python reads the same path."""
    world.bigquery.add_job("j", tebibytes * 2**40, "select * from d.t", {"airflow-dag": "shop"})
    if shutil.which("jq") is None:
        jq = world.folder / "jq"
        jq.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            "print(json.load(sys.stdin)[sys.argv[1].removeprefix('.')])\n"
        )
        jq.chmod(0o755)
    done = world.sh(
        "PATH=$PWD:$PATH\nset -o pipefail\n"
        "pipeline-health-monitor --cost-report --hours 24 | \\\n"
        "  jq '.total_cost_usd' | \\\n"
        """  awk '{if ($1 > 100) print "High cost alert!"}'"""
    )
    assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "sla-tracker --config sla-config.json --monitor --interval 300",
        "pipeline-health-monitor --config health-config.json --watch",
        "while true; do\n"
        "  pipeline-health-monitor --config health-config.json --output results.json\n"
        "  sleep 300\ndone",
    ],
)
def test_continuous_monitoring(world: World, command: str) -> None:
    """Rounds go on until the process is told to end; elsewhere than on a terminal, in lines."""
    log, results = world.folder / "log", world.folder / "results.json"
    with world.running(f"({command}) > log 2>&1") as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if results.exists() or " PASS" in log.read_text():
                break
            time.sleep(0.5)
        time.sleep(2)
        assert process.poll() is None, log.read_text()
    assert "Traceback" not in log.read_text()
    if "while" in command:
        assert world.json("results.json")["summary"]["failed"] == 0
    else:
        assert "Z PASS  project.dataset.fct_orders freshness" in log.read_text()


def test_schemas_are_printed(world: World) -> None:
    for command in ("pipeline-health-monitor", "sla-tracker"):
        done = world.sh(f"{command} --schema")
        assert "tables" in json.dumps(json.loads(done.stdout))
