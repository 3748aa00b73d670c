"""SLAs over time, on numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_dataops.core.health.completion import (
    Ended,
    TimedRun,
    ended,
    judge_completion,
    outcomes_of,
)
from airflow_dataops.core.health.compliance import Outcome, change_point, compliance
from airflow_dataops.core.health.sla_config import CompletionSla, PipelineSla

START = datetime(2024, 1, 29, tzinfo=UTC)


def outcomes(kept: str, minutes: list[float] | None = None) -> list[Outcome]:
    times = minutes or [None] * len(kept)
    return [
        Outcome(at=START + timedelta(days=day), kept=mark == "+", minutes=took)
        for day, (mark, took) in enumerate(zip(kept, times, strict=True))
    ]


def test_rates_by_period_budget_and_trend() -> None:
    """Ten days from Monday 29 January 2024 on: one miss in the first half, two in the second."""
    found = compliance("shop", "x", outcomes("++-+++--++"), target_percent=90)
    assert (found.total, found.kept, found.rate) == (10, 7, 70.0)
    assert (found.budget.allowed, found.budget.used, found.budget.left) == (1.0, 3, -2.0)
    assert [(p.period, p.kept, p.total) for p in found.by_week] == [
        ("2024-W05", 5, 7),
        ("2024-W06", 2, 3),
    ]
    assert [(p.period, p.rate) for p in found.by_month] == [("2024-01", 66.67), ("2024-02", 71.43)]
    assert len(found.by_day) == 10
    assert found.trend == -20.0


def test_nothing_due_is_no_rate_and_no_crash() -> None:
    found = compliance("shop", "x", [], target_percent=99)
    assert (found.rate, found.trend, found.change, found.suggested_minutes) == (None,) * 4
    assert found.budget.left == 0


@pytest.mark.parametrize(
    ("minutes", "day", "degraded"),
    [
        ([10, 11, 10, 9, 10, 11, 10, 20, 21, 19, 20, 22, 20], 7, True),
        ([20, 21, 19, 20, 22, 20, 10, 11, 10, 9, 10, 11, 10], 6, False),
        ([10.0] * 6 + [20.0] * 6, 6, True),
    ],
)
def test_a_change_is_found_where_it_is(minutes: list[float], day: int, degraded: bool) -> None:
    found = compliance("s", "x", outcomes("+" * len(minutes), minutes), target_percent=99)
    assert found.change is not None
    assert found.change.at == START + timedelta(days=day)
    assert found.degraded is degraded


@pytest.mark.parametrize(
    "minutes", [[10.0] * 20, [10.0, 30.0] * 10, [100.0] * 8 + [101.0] * 8, [1.0, 9.0]]
)
def test_noise_steps_of_a_hundredth_and_short_histories_are_no_change(
    minutes: list[float],
) -> None:
    assert change_point(outcomes("+" * len(minutes), minutes)) is None


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        ("success", 60.0, Ended.MET),
        ("success", 60.1, Ended.LATE),
        ("failed", 5.0, Ended.FAILED),
        ("failed", 61.0, Ended.LATE),
        ("running", 59.0, Ended.OPEN),
        ("running", 61.0, Ended.LATE),
        ("queued", None, Ended.OPEN),
    ],
)
def test_late_failed_and_under_way_are_told_apart(
    state: str, minutes: float | None, expected: Ended
) -> None:
    run = TimedRun(run_id="r", state=state, due_at=START, minutes=minutes)
    assert ended(run, 60) is expected


SLA = PipelineSla(name="shop", completion_time_sla=CompletionSla(target_duration_minutes=60))


def timed(hours_ago: float, minutes: float | None, **of: str) -> TimedRun:
    due = START - timedelta(hours=hours_ago)
    base = {"run_id": f"r{hours_ago:g}", "state": "success", **of}
    return TimedRun(due_at=due, minutes=minutes, **base)  # type: ignore[arg-type]


def test_only_recent_runs_on_schedule_are_judged() -> None:
    runs = [timed(30, 90), timed(5, 90, run_type="manual"), timed(3, 90, run_type="backfill")]
    assert judge_completion(SLA, runs, START).status == "SKIP"
    found = judge_completion(SLA, [*runs, timed(2, 30)], START)
    assert (found.status, found.value) == ("PASS", 30)
    found = judge_completion(SLA, [*runs, timed(2, 30), timed(1, 61)], START)
    assert (found.status, found.details) == ("FAIL", {"met": ["r2"], "late": ["r1"]})
    assert judge_completion(SLA, "no such DAG", START).status == "ERROR"


def test_what_is_under_way_is_not_yet_counted() -> None:
    runs = [timed(3, 30), timed(2, 90), timed(1, 10, state="running"), timed(0, 3, state="failed")]
    assert [(each.kept, each.minutes) for each in outcomes_of(SLA, runs)] == [
        (True, 30),
        (False, 90),
        (False, None),
    ]
