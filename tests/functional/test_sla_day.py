"""A scripted day under a real scheduler, triggerer, dag-processor and api-server.

Some 170 SLAs of tasks, mapped tasks, task groups and DAGs, of all kinds, on what is in time,
late, failed, killed, never started, retried, cleared, skipped, deferred, run by hand or by a
backfill, or due on a holiday. Every miss comes once, and none that an oracle does not know.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.functional import metadata
from tests.functional import sla_day as day
from tools.airflow_settings import Settings, free_port
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tools.airflow_api import AirflowApi

POLL = 5.0
AGAIN = 15.0
"""Seconds from the death of the triggerer to the start of the next."""
ALERTS = """
routes:
  - receivers: ["import:day_receiver.Receiver"]
    group: {by: none, wait_seconds: 0.01}
"""


class Patient:
    """The REST API of an Airflow that is busy now and then."""

    def __init__(self, api: AirflowApi) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._api, name)

        def patiently(*args: Any, **kwargs: Any) -> Any:
            for _ in range(3):
                try:
                    return call(*args, **kwargs)
                except httpx.TransportError:
                    time.sleep(1)
            return call(*args, **kwargs)

        return patiently


class Day:
    """One Airflow with its folders, and what was told in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = folder / "told.jsonl"
        # SQLite lets one write at a time, and keeps a busy Airflow waiting for a minute.
        self.metadata = metadata.database("sla_airflow")
        self.ledger = metadata.database("sla_ledger")
        for name in ("dags", "modules", "notes"):
            (folder / name).mkdir()
        (folder / "alerts.yaml").write_text(ALERTS)
        receiver = day.RECEIVER.format(file=str(self.told))
        (folder / "modules" / "day_receiver.py").write_text(receiver)
        environment = {
            "PYTHONPATH": str(folder / "modules"),
            **metadata.environment(self.metadata),
            "AIRFLOW__DATAOPS__LEDGER": self.ledger,
            "AIRFLOW__DATAOPS__ALERTS_CONFIG": str(folder / "alerts.yaml"),
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        }
        self.airflow = LocalAirflow(
            Settings(
                home=folder / "home",
                dags_folder=folder / "dags",
                parallelism=8,
                port=free_port(),
                parse_seconds=3,
                environment=environment,
            )
        )

    @property
    def api(self) -> Patient:
        return Patient(self.airflow.api)

    def drop(self, plan: dict[str, Any], poll: float = POLL, *, paused: bool = True) -> None:
        """Add the day's DAGs, and the monitor."""
        source = day.SOURCE.format(
            plan=json.dumps(plan), notes=str(self.folder / "notes"), seconds=day.SECONDS
        )
        (self.folder / "dags" / "day.py").write_text(source)
        monitor = day.MONITOR.format(poll=poll, paused=paused)
        (self.folder / "dags" / "monitor.py").write_text(monitor)
        self.api.wait_for_dags([*plan, "sla_monitor"], 60, self.airflow.check)

    def cases(self, until: float) -> Counter[tuple[str, str, str, str, int]]:
        """Every miss in the ledger that was due before a time."""
        found: Counter[tuple[str, str, str, str, int]] = Counter()
        for row in day.told(self.ledger):
            if row["due"].timestamp() >= until:
                continue
            cleared = row["miss"]["subject"].get("clear_number", 0)
            found[row["dag_id"], row["run_id"], row["task_id"] or "", row["sla"], cleared] += 1
        return found

    def delays(self, dag_id: str, since: float, until: float) -> list[float]:
        """Seconds from due to the receiver, of misses that were due between two times."""
        at = {each["incident"]: each["at"] for each in day.lines(self.told, "trigger")}
        found = []
        for row in day.told(self.ledger):
            due = row["due"].timestamp()
            if row["dag_id"] == dag_id and since <= due < until:
                found.append(at[row["incident"]] - due)
        return sorted(found)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Day]:
    found = Day(tmp_path)
    with found.airflow:
        found.api.request("POST", "/pools", body={"name": "closed", "slots": 0})
        found.api.add_connection(
            "airflow_api",
            "http",
            host=found.airflow.url,
            login="admin",
            password=found.airflow.password,
        )
        yield found


def sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def wait_for(what: Callable[[], bool], seconds: float, says: str) -> None:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds:.0f} s: {says}")
        time.sleep(0.5)


def plan_of(first: datetime, second: datetime) -> dict[str, Any]:
    """The day: `first` with deadlines, `second` without."""
    before = first - timedelta(seconds=15)
    minute = before.replace(second=0, microsecond=0) + timedelta(minutes=1)
    quick = {"type": "after_run_start", "minutes": 8 / 60}
    soon = day.due("after_interval", second, 8)
    anyhow = {"run_types": ["scheduled", "manual", "backfill"]}
    today = [f"{datetime.now(UTC) + timedelta(days=n):%Y-%m-%d}" for n in range(-1, 3)]
    off = day.due("by_time", second, 8) | {"calendar": {"holidays": today}}
    once = {"schedule": "@once", "deadlines": False}
    return {
        "by_deadline": {
            **once,
            "start": first.isoformat(),
            "tasks": "fates",
            "deadlines": True,
            "slas": day.of_all(first, ("by_time", "after_interval")),
        },
        "warm": {
            **once,
            "start": (first - timedelta(seconds=25)).isoformat(),
            "tasks": "small",
            "deadlines": True,
            "slas": [day.sla("s", "task", "slow", day.due("after_interval", first, 20))],
        },
        "by_reconciler": {
            **once,
            "start": second.isoformat(),
            "tasks": "fates",
            "slas": day.of_all(second, day.KINDS),
        },
        "small": {
            **once,
            "schedule": "0 0 * * *",
            "start": (first - timedelta(days=4)).isoformat(),
            "tasks": "small",
            "paused": True,
            "slas": [
                day.sla("default", "task", "slow", quick),
                day.sla("any", "task", "slow", quick, **anyhow),
                day.sla("any", "dag", "", quick, **anyhow),
                day.sla("holiday", "task", "slow", off, **anyhow),
            ],
        },
        "cleared": {
            **once,
            "start": second.isoformat(),
            "tasks": "cleared",
            "slas": [
                day.sla("run", "task", "first_bad", quick),
                day.sla("interval", "task", "first_bad", soon),
                day.sla("run", "task", "behind", quick),
                day.sla("run", "dag", "", quick),
                day.sla("interval", "dag", "", soon),
            ],
        },
        "hogged": {
            "schedule": "* * * * *",
            "deadlines": False,
            "start": minute.isoformat(),
            "end": (minute + timedelta(seconds=61)).isoformat(),
            "catchup": True,
            "max_active_runs": 1,
            "tasks": "hogging",
            "slas": [
                day.sla("come", "dag", "", day.due("after_interval", second, 10)),
                day.sla("come", "task", "slow", day.due("after_interval", second, 10)),
            ],
        },
    }


@pytest.mark.slow
def test_a_scripted_day(world: Day) -> None:
    first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=30)
    second = first + timedelta(seconds=55)
    plan = plan_of(first, second)
    world.drop(plan)
    at = first.timestamp()
    sleep_until(at + day.EARLY + 20)
    assert world.cases(time.time()), "the monitor is off: these are of the deadlines"
    world.api.unpause("sla_monitor")
    world.api.unpause("small")
    world.api.trigger("small")
    backfill(world, first - timedelta(days=3))
    expected = clear_twice(world, plan, second.timestamp())
    killed = at + day.LATE - 3
    triggerer = kill_triggerer(world, killed, killed + AGAIN)
    try:
        sleep_until(second.timestamp() + day.LATE + 15)
        world.api.request(
            "PATCH", "/pools/closed", body={"name": "closed", "slots": 4, "include_deferred": False}
        )
        wait_for(lambda: all_ended(world, plan), 180, "not all runs have ended")
        time.sleep(4 * POLL)
        until = time.time() - 3 * POLL
        missed, cases = day.oracle(world.metadata, plan, until)
        delays = delays_of(world, at, killed, until)
        lines = [f"{cases} cases, {len(missed | expected)} misses", *map(said, delays.items())]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
        compare(world, missed | expected, until)
        assert cases >= 60
        assert p95(delays["deadlines"]) <= 10
        assert p95(delays["reconciler"]) <= POLL
        assert max(delays["triggerer killed"]) > AGAIN, "it was dead over these"
    finally:
        end(triggerer.pid)


def backfill(world: Day, start: datetime) -> None:
    body = {
        "dag_id": "small",
        "from_date": start.isoformat(),
        "to_date": (start + timedelta(days=1)).isoformat(),
        "reprocess_behavior": "none",
    }
    world.api.request("POST", "/backfills", body=body)


def all_ended(world: Day, plan: dict[str, Any]) -> bool:
    runs = world.api.get("/dags/~/dagRuns", limit=100)["dag_runs"]
    return all(run["state"] in ("success", "failed") for run in runs if run["dag_id"] in plan)


def clear_twice(world: Day, plan: dict[str, Any], start: float) -> set[day.Missed]:
    """Clear a failed run after its misses, and once more when it was late; return those misses."""
    ours = {"cleared": plan["cleared"]}
    sleep_until(start + 18)
    expected: set[day.Missed] = set()
    for _ in range(2):
        [run] = world.api.get("/dags/cleared/dagRuns")["dag_runs"]

        def ended(run_id: str = run["dag_run_id"]) -> bool:
            return bool(world.api.run("cleared", run_id).finished)

        wait_for(ended, 120, "cleared has not ended")
        time.sleep(POLL + 3)
        found, _ = day.oracle(world.metadata, ours, time.time())
        expected |= found
        world.api.clear(world.api.run("cleared", run["dag_run_id"]))
    return expected


def kill_triggerer(world: Day, killed: float, again: float) -> subprocess.Popen[bytes]:
    """SIGKILL the triggerer over a due time; start another later."""
    sleep_until(killed)
    end(world.airflow.pids["triggerer"])
    sleep_until(again)
    log = (world.folder / "triggerer.log").open("wb")
    command = [sys.executable, "-P", "-m", "airflow", "triggerer", "--skip-serve-logs"]
    return subprocess.Popen(command, env=world.airflow.environment, stdout=log, stderr=log)


def end(pid: int) -> None:
    """SIGKILL a process and its children."""
    process = psutil.Process(pid)
    for each in [*process.children(recursive=True), process]:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def compare(world: Day, missed: set[day.Missed], until: float) -> None:
    """Each miss once: in the ledger, at the receiver, at the callback; solved ones solved."""
    found = world.cases(until)
    wanted = Counter(each.case for each in missed)
    assert found == wanted, {"missing": wanted - found, "false": found - wanted}
    rows = day.told(world.ledger)
    incidents = {row["key"]: row["incident"] for row in rows}
    triggers = Counter(each["incident"] for each in day.lines(world.told, "trigger"))
    assert triggers == Counter(incidents.values())
    called = Counter(each["key"] for each in day.lines(world.told, "called"))
    assert called == Counter(incidents.keys())
    hogged = [row for row in rows if row["dag_id"] == "hogged"]
    second = max(row["run_id"] for row in hogged)
    states = {row["miss"]["state"] for row in hogged if row["run_id"] == second}
    assert states == {"never_started"}, "the first run kept it from being made"
    solved = {each.case for each in missed if each.solved}
    unsolved = {each.case for each in missed if not each.solved and each.dag_id != "cleared"}
    resolved = {each["incident"] for each in day.lines(world.told, "resolve")}
    for row in rows:
        cleared = row["miss"]["subject"].get("clear_number", 0)
        case = (row["dag_id"], row["run_id"], row["task_id"] or "", row["sla"], cleared)
        assert case not in solved or row["incident"] in resolved, case
        assert case not in unsolved or row["incident"] not in resolved, case


def delays_of(world: Day, first: float, killed: float, until: float) -> dict[str, list[float]]:
    """Seconds from due to the receiver, longest last."""
    found = {
        "deadlines": world.delays("by_deadline", first, killed),
        "reconciler": world.delays("by_reconciler", first, killed),
        "first deadline of the triggerer": world.delays("warm", first - 60, until),
    }
    names = ("by_deadline", "by_reconciler")
    over = [each for name in names for each in world.delays(name, killed, killed + AGAIN)]
    return found | {"triggerer killed": sorted(over)}


def p95(delays: list[float]) -> float:
    return delays[int(0.95 * (len(delays) - 1))]


def said(delays: tuple[str, list[float]]) -> str:
    name, seconds = delays
    return f"{name}: {len(seconds)} misses, p95 {p95(seconds):.1f} s, most {seconds[-1]:.1f} s"
