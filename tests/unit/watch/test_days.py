"""`by` where no schedule says when a run is due: each day owes one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.adapters.watch.answers import Run
from airflow_dataops.adapters.watch.reconciler import Reconciler
from airflow_dataops.core.alerts.config import AlertsConfig
from airflow_dataops.core.sla.daily import occasions
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import BUSINESS_DAYS, ByTime, Calendar, Sla
from tests.fakes.airflow_reader import FakeAirflow
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
SEVEN = Sla(name="ready", kind=SubjectKind.DAG, dag_id="shop", due=ByTime(at=time(7)))
LOAD = replace(SEVEN, name="loaded", kind=SubjectKind.TASK, task_id="load")


class World:
    """An Airflow whose DAG `shop` is started by assets; the watch begins on Monday at midnight."""

    def __init__(self, folder: Path) -> None:
        self.airflow = FakeAirflow()
        self.clock = FakeClock(MONDAY)
        self.ledger = LedgerStore(f"sqlite:///{folder / 'ledger.db'}")
        self.schedule("Asset")
        self.start()

    def schedule(self, summary: str, slas: tuple[Sla, ...] = (SEVEN,), **fields: Any) -> None:
        self.airflow.add("shop", slas)
        dag = self.airflow.all_dags["shop"]
        self.airflow.all_dags["shop"] = _with(dag, timetable_summary=summary, **fields)

    def start(self) -> None:
        sink = AlertService(self.ledger.database, AlertsConfig(), self.clock)
        self.watch = Reconciler(self.airflow, self.ledger, sink, self.clock)

    def at(self, day: int, hour: float) -> list[str]:
        self.clock.at = MONDAY + timedelta(days=day, hours=hour)
        return [f"{m.sla} {m.due:%a %H:%M}" for m in self.watch.run_once().misses]

    def run(self, day: int, hour: float, state: str = "success", **fields: Any) -> Run:
        at = MONDAY + timedelta(days=day, hours=hour)
        given = {"run_type": "asset_triggered", "run_after": at, "queued_at": at, "start_date": at}
        end = None if state == "running" else at + timedelta(minutes=30)
        found = Run("shop", f"r{day}-{hour}", state=state, end_date=end, **given | fields)
        self.airflow.put(found)
        return found

    @property
    def open(self) -> int:
        return len(self.ledger.open_misses())


def _with(dag: Any, **fields: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(dag, **fields)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    found.at(0, 0)
    yield found
    found.ledger.close()


@pytest.mark.parametrize("summary", ["Asset", "None", "Partitioned Asset", "@continuous"])
def test_a_run_that_never_comes_is_missed_and_a_late_one_solves_it(
    world: World, summary: str
) -> None:
    world.schedule(summary)
    world.run(0, 6)
    assert world.at(0, 7.1) == []
    assert world.at(1, 6.9) == []
    assert world.at(1, 7.1) == ["ready Tue 07:00"]
    assert world.at(1, 8) == []
    late = world.run(1, 9, "running")
    assert world.at(1, 9.1) == []
    assert world.open == 1
    world.run(1, 9)
    world.at(1, 10)
    assert world.open == 0
    assert late.key == ("shop", "r1-9")


def test_yesterdays_late_run_is_not_todays(world: World) -> None:
    world.at(0, 7.1)
    world.run(0, 9)
    world.at(0, 10)
    assert world.open == 0
    assert world.at(1, 7.1) == ["ready Tue 07:00"]


def test_a_run_of_the_evening_is_in_time_for_the_morning(world: World) -> None:
    world.run(0, 22.5)
    world.at(0, 23.5)
    assert world.at(1, 7.1) == []


def test_a_run_by_hand_does_not_count_but_solves(world: World) -> None:
    world.run(0, 5, run_type="manual")
    assert world.at(0, 7.1) == ["ready Mon 07:00"]
    world.run(0, 8, run_type="manual")
    world.at(0, 9)
    assert world.open == 0


def test_a_task_is_solved_when_it_is_done(world: World) -> None:
    world.schedule("Asset", (LOAD,))
    world.at(0, 0.1)
    assert world.at(0, 7.1) == ["loaded Mon 07:00"]
    run = world.run(0, 8, "running")
    world.airflow.put_task(run, "load", "running")
    world.at(0, 8.1)
    assert world.open == 1
    ended = run.run_after + timedelta(minutes=5)
    world.airflow.put_task(run, "load", "success", start_date=run.run_after, end_date=ended)
    world.at(0, 8.2)
    assert world.open == 0


def test_days_off_and_paused_dags_owe_nothing(world: World) -> None:
    workdays = Calendar(days=BUSINESS_DAYS)
    world.schedule("Asset", (replace(SEVEN, due=ByTime(at=time(7), calendar=workdays)),))
    for day in range(5):
        world.run(day, 6)
    assert world.at(5, 0) == []
    assert [world.at(day, 7.1) for day in (5, 6)] == [[], []]
    world.schedule("Asset", is_paused=True)
    assert world.at(7, 7.1) == []


def test_days_in_which_nobody_looked_are_judged_afterwards_and_once(world: World) -> None:
    world.run(1, 6)
    world.start()
    assert world.at(2, 12) == ["ready Mon 07:00", "ready Wed 07:00"]
    world.start()
    assert world.at(2, 13) == []


def test_a_schedule_in_time_is_left_to_its_runs(world: World) -> None:
    world.schedule("Asset or 0 5 * * *")
    assert world.at(3, 12) == []


def test_occasions_follow_the_clock_of_the_zone() -> None:
    """In Berlin the clock went back on 25 October 2026: seven is an hour later in UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    due = ByTime(at=time(7), timezone="Europe/Berlin")
    found = occasions(
        due, datetime(2026, 10, 24, tzinfo=berlin), datetime(2026, 10, 26, tzinfo=berlin)
    )
    assert [each.due.astimezone(UTC).hour for each in found] == [5, 6]
    assert [each.since.astimezone(UTC).hour for each in found] == [17, 18]


def test_late_hours_count_from_midnight() -> None:
    [found] = occasions(ByTime(at=time(18)), MONDAY, MONDAY + timedelta(hours=20))
    assert found.since == MONDAY
