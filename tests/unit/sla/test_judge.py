"""Whether an SLA was met."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from airflow_dataops.core.sla.facts import RunFacts, TaskFacts
from airflow_dataops.core.sla.judge import SlaStatus, judge, judge_age
from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import (
    BUSINESS_DAYS,
    AfterRunStart,
    AfterTaskStart,
    ByTime,
    Calendar,
    MaxAge,
    RunType,
    Sla,
)

START = datetime(2026, 2, 3, tzinfo=UTC)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


RUN = RunFacts(
    dag_id="sales",
    run_id="r",
    run_type=RunType.SCHEDULED,
    run_after=START,
    state="running",
    started_at=START,
)


def sla(kind: str = "task", **fields: Any) -> Sla:
    given = {"name": "s", "due": AfterRunStart(minutes=30), "dag_id": "sales", "task_id": "load"}
    return Sla(**{**given, "kind": SubjectKind(kind), **fields})


def task(state: str | None, ended: float | None = None, id_: str = "load", **of: Any) -> TaskFacts:
    end = None if ended is None else minute(ended)
    start = of.pop("started_at", None if state is None else minute(1))
    return TaskFacts(task_id=id_, state=state, ended_at=end, started_at=start, **of)


@pytest.mark.parametrize(
    ("state", "ended", "now", "status"),
    [
        ("success", 30, 31, "met"),
        ("success", 30.01, 31, "late"),
        ("success", 20, 10_000, "met"),  # a late look hides nothing and invents nothing
        ("success", 45, 10_000, "late"),
        ("running", None, 30, "pending"),
        ("running", None, 30.01, "missed"),
        ("failed", 10, 20, "pending"),  # failed is not late; it may be cleared in time
        ("failed", 10, 31, "missed"),
        ("upstream_failed", 10, 31, "missed"),
        (None, None, 31, "missed"),
        ("up_for_retry", None, 31, "missed"),
        ("skipped", 10, 31, "none"),
        ("removed", None, 31, "none"),
    ],
)
def test_one_task(state: str | None, ended: float | None, now: float, status: str) -> None:
    found = judge(sla(), RUN, [task(state, ended)], minute(now))
    assert found.status == status
    assert found.is_miss is (status in ("missed", "late"))


def test_a_late_task_is_solved_when_it_was_done() -> None:
    found = judge(sla(), RUN, [task("success", 45)], minute(50))
    assert (found.status, found.due, found.done_at) == (SlaStatus.LATE, minute(30), minute(45))


def test_a_mapped_task_is_done_when_all_of_it_is() -> None:
    done = [task("success", 10, map_index=0), task("success", 20, map_index=1)]
    assert judge(sla(), RUN, done, minute(31)).status is SlaStatus.MET
    half = [task("success", 10, map_index=0), task("running", map_index=1)]
    found = judge(sla(), RUN, half, minute(31))
    assert (found.status, found.state) == (SlaStatus.MISSED, "running")
    some = [task("success", 10, map_index=0), task("skipped", 11, map_index=1)]
    assert judge(sla(), RUN, some, minute(31)).status is SlaStatus.MET


def test_a_group_is_what_is_in_it() -> None:
    group = sla("task_group", task_id="marts")
    tasks = [task("success", 10, "marts.a"), task("success", 40, "marts.deep.b"), task(None)]
    assert judge(group, RUN, tasks, minute(50)).status is SlaStatus.LATE
    assert judge(group, RUN, [task("success", 10, "marts2.a")], minute(50)).status is SlaStatus.NONE


def test_a_dag_is_its_run() -> None:
    dag = sla("dag", task_id=None)
    found = judge(dag, RUN, [task("success", 5, "a"), task("running", id_="b")], minute(31))
    assert (found.status, found.state, found.upstream) == (SlaStatus.MISSED, "running", "b")


def test_the_start_of_a_task_counts_from_its_first_try() -> None:
    own = sla(due=AfterTaskStart(minutes=30))
    again = task("success", 45, started_at=minute(40), first_started_at=minute(5))
    assert judge(own, RUN, [again], minute(60)).status is SlaStatus.LATE
    assert judge(own, RUN, [task(None)], minute(600)).status is SlaStatus.PENDING


@pytest.mark.parametrize("type_", [RunType.MANUAL, RunType.BACKFILL])
def test_manual_runs_and_backfills_owe_nothing_unless_asked(type_: RunType) -> None:
    from msgspec.structs import replace

    other = replace(RUN, run_type=type_)
    assert judge(sla(), other, [task(None)], minute(60)).status is SlaStatus.NONE
    asked = sla(run_types=(type_,))
    assert judge(asked, other, [task(None)], minute(60)).status is SlaStatus.MISSED


def test_a_day_off_owes_nothing() -> None:
    from msgspec.structs import replace

    seven = ByTime(at=time(7), calendar=Calendar(days=BUSINESS_DAYS))
    saturday = replace(RUN, run_after=datetime(2026, 2, 7, tzinfo=UTC))
    found = judge(sla(due=seven), saturday, [task(None)], datetime(2026, 2, 8, tzinfo=UTC))
    assert found.status is SlaStatus.NONE


def test_whom_a_late_task_waits_for() -> None:
    """The farthest one up that is not done: where to look."""
    chain = [
        task("success", 5, "a"),
        task("failed", 6, "b", upstream=("a",)),
        task("upstream_failed", 7, "c", upstream=("b",)),
        task("upstream_failed", 7, upstream=("c",)),
        task("running", id_="elsewhere"),
    ]
    assert judge(sla(), RUN, chain, minute(31)).upstream == "b"
    alone = [task("success", 5, "a"), task("running", upstream=("a",))]
    assert judge(sla(), RUN, alone, minute(31)).upstream is None


def test_a_table_is_never_older() -> None:
    hour = sla("table", due=MaxAge(minutes=60), subject="shop.orders")
    assert judge_age(hour, minute(0), minute(60)).status is SlaStatus.MET
    assert judge_age(hour, minute(0), minute(61)).status is SlaStatus.MISSED
    assert judge_age(hour, None, minute(61)).state == "never_updated"


def test_a_skipped_instance_makes_no_mapped_task_late() -> None:
    """The scheduler skipped one long after the others were done: it tells nothing of them."""
    some = [
        task("success", 10, map_index=0, first_started_at=minute(5)),
        task("skipped", 45, map_index=1, started_at=minute(1)),
        task("removed", 50, map_index=2),
    ]
    found = judge(sla(), RUN, some, minute(60))
    assert (found.status, found.done_at) == (SlaStatus.MET, minute(10))
    within = sla(due=AfterTaskStart(minutes=6))
    assert judge(within, RUN, some, minute(60)).due == minute(11)
    group = sla("task_group", task_id="marts")
    of_group = [task("success", 10, "marts.a"), task("skipped", 45, "marts.b")]
    assert judge(group, RUN, of_group, minute(60)).status is SlaStatus.MET
