"""The reconciler against an Airflow in memory, with a real ledger and a real alert sink."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.adapters.watch.answers import Asset, Dag, Instance, LastEvent, Run, Task
from airflow_dataops.adapters.watch.reconciler import Reconciler
from airflow_dataops.core.alerts.config import AlertsConfig
from airflow_dataops.core.sla.misses import Past, SubjectKind
from airflow_dataops.core.sla.policies import (
    AfterInterval,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    MaxAge,
    RunType,
    Sla,
)
from airflow_dataops.core.sla.rules import Rules, read_rules
from tests.fakes.airflow_reader import FakeAirflow, changed
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from airflow_dataops.core.sla.misses import SlaMiss

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


class World:
    """An Airflow, a clock that starts at noon, and a watcher that can be started anew."""

    def __init__(self, folder: Path) -> None:
        self.airflow = FakeAirflow()
        self.clock = FakeClock(NOON)
        self.ledger = LedgerStore(f"sqlite:///{folder / 'ledger.db'}")
        self.told: list[SlaMiss] = []
        self.history: list[Past] = []
        self.sink = AlertService(self.ledger.database, AlertsConfig(), self.clock)
        self.start()

    rules: Rules | None = None

    def start(self, more: Sequence[Sla] = ()) -> None:
        self.watch = Reconciler(
            self.airflow,
            self.ledger,
            self.sink,
            self.clock,
            tell=lambda sla, miss: self.told.append(miss),
            history=lambda dag_id, sla: self.history,
            more=more,
            rules=self.rules,
            url="http://airflow.example",
        )

    def at(self, minutes: float) -> list[str]:
        """Make a pass at so many minutes after noon; return the SLAs with new misses."""
        self.clock.at = minute(minutes)
        return [miss.sla for miss in self.watch.run_once().misses]

    @property
    def open(self) -> list[str]:
        return [miss.sla for miss in self.ledger.open_misses()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.ledger.close()


def sla(name: str = "s", minutes: float = 30, **fields: Any) -> Sla:
    given = {"kind": SubjectKind.TASK, "task_id": "load", "due": AfterRunStart(minutes=minutes)}
    return Sla(name=name, dag_id="shop", **given | fields)


def run(**fields: Any) -> Run:
    given = {"dag_id": "shop", "dag_run_id": "r", "run_type": "scheduled", "state": "running"}
    times = {"run_after": NOON, "queued_at": NOON, "start_date": NOON, "data_interval_end": NOON}
    return Run(**given | times | fields)


def test_a_miss_is_told_once_with_what_blocks_it_and_then_solved(world: World) -> None:
    tasks = [Task("extract", ["load"], "ann"), Task("load", [], "bob")]
    world.airflow.add("shop", [sla()], tasks)
    world.airflow.put(run())
    world.airflow.put_task(run(), "extract", "failed", end_date=minute(2), start_date=NOON)
    world.airflow.put_task(run(), "load", "upstream_failed")
    assert [world.at(m) for m in (1, 29, 30.1, 31, 60)] == [[], [], ["s"], [], []]
    [told] = world.told
    assert (told.upstream, told.owner, told.due) == ("extract", "bob", minute(30))
    assert told.links == {"Run": "http://airflow.example/dags/shop/runs/r"}
    assert world.open == ["s"]
    world.airflow.put_task(run(), "load", "success", start_date=minute(61), end_date=minute(62))
    assert world.at(63) == []
    assert world.open == []


def test_a_late_look_sees_by_the_recorded_times(world: World) -> None:
    """Two runs ended while nobody looked: one was late."""
    world.airflow.add("shop", [sla()])
    world.at(0)
    for name, ended in (("good", 29), ("late", 31)):
        each = run(dag_run_id=name, state="success", end_date=minute(ended))
        world.airflow.put(each)
        world.airflow.put_task(each, "load", "success", start_date=NOON, end_date=minute(ended))
    assert world.at(200) == ["s"]
    assert world.told[0].subject.run_id == "late"
    assert world.open == []


def test_a_restart_loses_and_repeats_nothing(world: World) -> None:
    """The run failed before it was due, so Airflow lists it no more as unfinished or just ended."""
    world.airflow.add("shop", [sla("a", 30), sla("b", 60)])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", "running", start_date=NOON)
    world.at(0)
    world.airflow.put(run(state="failed", end_date=minute(5)))
    world.airflow.put_task(run(), "load", "failed", start_date=NOON, end_date=minute(5))
    assert world.at(6) == []
    world.start()
    assert world.at(31) == ["a"]
    world.start()
    assert world.at(61) == ["b"]
    world.start()
    assert world.at(62) == []
    assert world.open == ["a", "b"]


def test_clearing_arms_anew_and_the_first_miss_is_solved(world: World) -> None:
    world.airflow.add("shop", [sla()])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", "failed", start_date=NOON, end_date=minute(1))
    assert world.at(31) == ["s"]
    world.airflow.put(run(state="failed", end_date=minute(32)))
    world.at(33)
    again = run(queued_at=minute(40), start_date=minute(41))
    world.airflow.put(again)
    world.airflow.put_task(again, "load", None, start_date=NOON, end_date=minute(1))
    assert [world.at(m) for m in (42, 70)] == [[], []]
    assert world.at(71.1) == ["s"]
    world.airflow.put_task(again, "load", "success", start_date=minute(41), end_date=minute(72))
    assert world.at(73) == []
    assert world.open == []
    assert [miss.subject.clear_number for miss in world.told] == [0, 1]


def test_what_is_marked_as_done_by_hand_is_solved_after_a_while(world: World) -> None:
    """Airflow then tells neither that the run ended lately, nor that it was cleared."""
    world.airflow.add("shop", [sla()])
    failed = run(state="failed", end_date=minute(30.5))
    world.airflow.put(failed)
    world.airflow.put_task(failed, "load", "failed", start_date=NOON, end_date=minute(30.5))
    assert world.at(31) == ["s"]
    world.airflow.put(changed(failed, state="success"))
    world.airflow.put_task(failed, "load", "success", start_date=NOON, end_date=minute(40))
    assert [world.at(m) for m in (41, 42)] == [[], []]
    assert world.open == []
    assert world.at(60) == []
    assert world.watch.run_once().looked == 0


def test_what_was_due_before_the_clearing_is_not_missed_again(world: World) -> None:
    world.airflow.add("shop", [sla(due=AfterInterval(minutes=30))])
    world.airflow.put(run(state="success", end_date=minute(20)))
    world.airflow.put_task(run(), "load", "success", start_date=NOON, end_date=minute(20))
    assert world.at(1) == []
    again = run(queued_at=minute(600), start_date=minute(600))
    world.airflow.put(again)
    world.airflow.put_task(again, "load", "running", start_date=minute(600))
    assert world.at(601) == []
    world.airflow.put_task(again, "load", "success", start_date=minute(600), end_date=minute(602))
    assert world.at(603) == []
    assert world.told == []


def test_the_first_try_counts(world: World) -> None:
    world.airflow.add("shop", [sla(due=AfterTaskStart(minutes=10))])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", None)
    assert world.at(60) == []
    first = Instance("shop", "r", "load", -1, 1, "failed", minute(61), minute(62))
    world.airflow.earlier.append(first)
    world.airflow.put_task(run(), "load", "running", try_number=2, start_date=minute(68))
    assert [world.at(69), world.at(71.1)] == [[], ["s"]]
    assert world.told[0].due == minute(71)


def test_a_task_that_never_began_is_not_late_by_its_own_start(world: World) -> None:
    """Airflow gives it a start all the same: when it was given up."""
    world.airflow.add("shop", [sla(due=AfterTaskStart(minutes=10)), sla("run")])
    world.airflow.put(run())
    given_up = {"start_date": minute(1), "end_date": minute(1)}
    world.airflow.put_task(run(), "load", "upstream_failed", **given_up)
    world.airflow.put(run(state="failed", end_date=minute(2)))
    assert [world.at(m) for m in (3, 60)] == [[], ["run"]]
    assert world.watch.run_once().looked == 0


def test_all_instances_of_a_mapped_task_and_all_tasks_of_a_group_count(world: World) -> None:
    group = sla("group", kind=SubjectKind.TASK_GROUP, task_id="g")
    tasks = [Task("load"), Task("g.one"), Task("g.two"), Task("other")]
    world.airflow.add("shop", [sla("mapped"), group], tasks)
    world.airflow.put(run())
    done = {"start_date": NOON, "end_date": minute(5)}
    for number in range(3):
        state = "success" if number < 2 else "running"
        world.airflow.put_task(run(), "load", state, map_index=number, **done)
    world.airflow.put_task(run(), "g.one", "success", **done)
    world.airflow.put_task(run(), "g.two", None)
    assert world.at(31) == ["group", "mapped"]


def test_other_runs_owe_nothing_unless_asked_for(world: World) -> None:
    also = sla("also", run_types=tuple(RunType))
    world.airflow.add("shop", [sla(), also])
    for type_ in ("manual", "backfill"):
        each = run(dag_run_id=type_, run_type=type_)
        world.airflow.put(each)
        world.airflow.put_task(each, "load", "running", start_date=NOON)
    assert world.at(31) == ["also", "also"]


def test_runs_that_another_dag_triggers_count_and_unknown_types_do_not(world: World) -> None:
    world.airflow.add("shop", [sla()])
    for type_ in ("operator_triggered", "of_airflow_4"):
        each = run(dag_run_id=type_, run_type=type_)
        world.airflow.put(each)
        world.airflow.put_task(each, "load", "running", start_date=NOON)
    assert world.at(31) == ["s"]
    assert world.told[0].subject.run_id == "operator_triggered"


def test_a_run_that_cannot_be_judged_hinders_no_other(world: World) -> None:
    bad = sla(due=ByTime(at=time(12, 30), timezone="Atlantis/Poseidonis"))
    world.start(more=[replace(bad, dag_id="lost")])
    for dag_id in ("lost", "shop"):
        world.airflow.add(dag_id, [replace(sla(), dag_id=dag_id)])
        each = run(dag_id=dag_id)
        world.airflow.put(each)
        world.airflow.put_task(each, "load", "running", start_date=NOON)
    assert world.at(31) == ["s"]
    assert world.told[0].subject.dag_id == "shop"


def test_a_run_that_never_came_is_missed_and_is_the_one_that_comes_later(world: World) -> None:
    world.airflow.add("shop", [sla(due=AfterInterval(minutes=30))])
    due = Dag("shop", next_dagrun_run_after=minute(10), next_dagrun_data_interval_end=minute(10))
    world.airflow.all_dags["shop"] = due
    assert [world.at(m) for m in (9, 11, 40.1, 50)] == [[], [], ["s"], []]
    assert world.told[0].state == "never_started"
    name = "scheduled__2026-11-20T12:10:00+00:00"
    late = run(dag_run_id=name, run_after=minute(10), data_interval_end=minute(10))
    late = changed(late, queued_at=minute(51), start_date=minute(51))
    world.airflow.all_dags["shop"] = Dag("shop", next_dagrun_run_after=minute(900))
    world.airflow.put(late)
    world.airflow.put_task(late, "load", "running", start_date=minute(51))
    assert world.at(52) == []
    world.airflow.put(changed(late, state="success", end_date=minute(55)))
    world.airflow.put_task(late, "load", "success", start_date=minute(51), end_date=minute(54))
    assert world.at(56) == []
    assert world.open == []
    assert world.told[0].subject.run_id == name


@pytest.mark.parametrize("gone", ["paused", "stale"])
def test_a_schedule_that_is_off_owes_no_run(world: World, gone: str) -> None:
    world.airflow.add("shop", [sla(due=AfterInterval(minutes=30))])
    off = Dag("shop", next_dagrun_run_after=minute(1))
    off = replace(off, is_paused=gone == "paused", is_stale=gone == "stale")
    world.airflow.all_dags["shop"] = off
    assert world.at(60) == []
    world.airflow.all_dags["shop"] = replace(off, is_paused=False, has_import_errors=True)
    assert world.at(61) == ["s"]


def test_a_run_that_is_deleted_takes_its_misses_along(world: World) -> None:
    world.airflow.add("shop", [sla()])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", "running", start_date=NOON)
    assert world.at(31) == ["s"]
    world.airflow.all_runs.clear()
    world.at(32)
    assert world.open == []
    assert world.watch.run_once().runs == 0


def test_warnings_come_ahead_once_and_are_no_misses(world: World) -> None:
    world.history = [Past(run_id=f"r{n}", seconds=60.0 * 40) for n in range(6)]
    called = sla()
    world.airflow.add("shop", [called])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", "running", start_date=NOON)
    world.clock.at = minute(1)
    first, second = world.watch.run_once(), world.watch.run_once()
    assert [len(first.warnings), len(second.warnings), len(first.misses)] == [1, 0, 0]
    assert world.told == []
    world.airflow.put_task(run(), "load", "success", start_date=NOON, end_date=minute(12))
    world.airflow.put(run(state="success", end_date=minute(12)))
    world.at(13)
    assert world.open == []


def test_an_asset_that_is_too_old_is_missed_once_per_time(world: World) -> None:
    fresh = Sla(name="fresh", kind=SubjectKind.ASSET, subject="orders", due=MaxAge(minutes=60))
    world.airflow.add("shop", [fresh])

    def updated(*minutes: float) -> None:
        world.airflow.events = [minute(m) for m in minutes]
        last = LastEvent(world.airflow.events[-1])
        world.airflow.all_assets = [Asset(7, "orders", "s3://orders", last)]

    updated(0)
    assert [world.at(m) for m in (1, 59, 61, 62)] == [[], [], ["fresh"], []]
    updated(0, 70)
    assert world.at(71) == []
    assert world.open == []
    updated(0, 70, 75, 140)
    assert world.at(141) == ["fresh"], "between 75 and 140 it was too old, though nobody looked"
    assert world.open == []


def test_a_thousand_runs_take_few_requests(world: World) -> None:
    """20 DAGs of three SLAs with 50 open runs each: at first sight, in between and all due."""
    names = [f"dag_{n:02d}" for n in range(20)]
    for name in names:
        slas = [replace(sla("s", 30 + n, task_id=f"t{n}"), dag_id=name) for n in range(3)]
        world.airflow.add(name, slas, [Task(f"t{n}") for n in range(3)])
        for number in range(50):
            each = run(dag_id=name, dag_run_id=f"r{number}")
            world.airflow.put(each)
            for n in range(3):
                world.airflow.put_task(each, f"t{n}", "running", start_date=NOON)
    world.clock.at = minute(1)
    first = world.watch.run_once()
    assert (first.runs, first.looked) == (1000, 1000)
    assert first.requests < 40
    world.clock.at = minute(2)
    between = world.watch.run_once()
    assert between.looked == 0
    assert between.requests < 20
    world.clock.at = minute(30.5)
    storm = world.watch.run_once()
    assert len(storm.misses) == 1000
    assert storm.requests < 100


FILE = """
slas:
  - {dag: "bare*", task: load, within: 10m, name: file}
  - {dag: shop, task: load, after_run_start: 30m, name: s, tier: critical}
  - {dag: bare_shop, group: marts, after_run_start: 20m, name: group}
  - {asset: "wh/*", max_age: 10m, name: fresh}
"""


def test_the_sla_file_is_for_dags_that_say_nothing_themselves(world: World) -> None:
    """A DAG's own SLA of the same name beats it."""
    world.rules = read_rules(FILE, "slas.yaml")
    world.start()
    world.airflow.add("bare_shop", [], [Task("load", [], "bob"), Task("marts.a", [], "bob")])
    world.airflow.untagged.add("bare_shop")
    world.airflow.add("other", [])
    world.airflow.untagged.add("other")
    world.airflow.add("shop", [sla()], [Task("load", [], "bob")])
    for dag_id in ("bare_shop", "shop", "other"):
        each = run(dag_id=dag_id)
        world.airflow.put(each)
        world.airflow.put_task(each, "load", "running", start_date=NOON)
    bare = run(dag_id="bare_shop")
    world.airflow.put_task(bare, "marts.a", "running", start_date=NOON)
    world.airflow.all_assets = [Asset(id=1, name="wh/a", uri="x", last_asset_event=LastEvent(NOON))]
    assert [sorted(world.at(m)) for m in (5, 11, 21, 31)] == [
        [],
        ["file", "fresh"],
        ["group"],
        ["s"],
    ]
    tiers = {miss.sla: miss.tier for miss in world.told}
    assert tiers["s"] == "important"


def test_a_group_that_names_its_tasks_otherwise_is_watched(world: World) -> None:
    group = sla(kind=SubjectKind.TASK_GROUP, task_id="g", members=("load",))
    world.airflow.add("shop", [group], [Task("load", [], "bob")])
    world.airflow.put(run())
    world.airflow.put_task(run(), "load", "running", start_date=NOON)
    assert world.at(31) == ["s"]


def test_ten_thousand_tasks_in_one_run_cost_what_is_late(world: World) -> None:
    """Nothing is read of a run before something is due, and then what was not done in time."""
    names = [f"t{n}" for n in range(10_000)]
    due = AfterInterval(minutes=30)
    world.airflow.add("shop", [sla("s", task_id=name, due=due) for name in names])
    world.airflow.put(run())
    done = {"start_date": NOON, "end_date": minute(5)}
    for name in names:
        world.airflow.put_task(run(), name, "success", **done)
    world.airflow.put_task(run(), "t7", "running", start_date=NOON)
    world.airflow.put_task(run(), "t8", "success", start_date=NOON, end_date=minute(30.5))
    found = []
    for moment in (0, 30.6):
        world.clock.at = minute(moment)
        found.append(world.watch.run_once())
    assert [each.requests for each in found] == [4, 8]
    assert {miss.subject.task_id for miss in found[1].misses} == {"t7", "t8"}
    assert [miss.subject.task_id for miss in world.ledger.open_misses()] == ["t7"]


def test_an_asset_that_nobody_ever_updated_is_late_only_after_a_while(world: World) -> None:
    """A new DAG is not late before its first run."""
    fresh = Sla(name="fresh", kind=SubjectKind.ASSET, subject="orders", due=MaxAge(minutes=60))
    world.airflow.add("shop", [fresh])
    assert [world.at(m) for m in (0, 30)] == [[], []]
    world.start()
    assert [world.at(m) for m in (59, 61, 62)] == [[], ["fresh"], []]
    assert world.told[-1].state == "never_updated"
    world.airflow.events = [minute(63)]
    last = LastEvent(world.airflow.events[-1])
    world.airflow.all_assets = [Asset(7, "orders", "s3://orders", last)]
    assert world.at(64) == []
    assert world.open == []
