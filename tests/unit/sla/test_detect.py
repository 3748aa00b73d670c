"""Misses, warnings and solutions of a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_dataops.core.sla.detect import detect
from airflow_dataops.core.sla.misses import Past, Tier
from airflow_dataops.core.sla.predict import percentile, predicted_end, suggested_minutes
from tests.unit.sla.test_judge import RUN, minute, sla, task

if TYPE_CHECKING:
    from airflow_dataops.core.sla.detect import Found

SLOW = [Past(run_id=f"r{n}", seconds=60.0 * (40 + n)) for n in range(6)]


def look(state: str | None, ended: float | None, now: float, tier: Tier = Tier.CRITICAL) -> Found:
    tasks = [task(state, ended, owner="finance")]
    return detect([sla(tier=tier)], RUN, tasks, minute(now), {"s": SLOW})


def test_every_look_names_a_miss_alike() -> None:
    first, second = look("running", None, 31), look("failed", 40, 90)
    assert [miss.key for miss in first.misses] == [miss.key for miss in second.misses]
    assert first.misses[0].owner == "finance"


def test_a_cleared_run_is_armed_anew() -> None:
    cleared = replace(RUN, clear_number=1)
    again = detect([sla()], cleared, [task("running")], minute(31))
    assert again.misses[0].key != look("running", None, 31).misses[0].key


def test_a_miss_that_is_done_is_solved_with_its_warning() -> None:
    warned, done = look("running", None, 10), look("success", 45, 60)
    assert [miss.key for miss in done.misses] == [look("running", None, 31).misses[0].key]
    assert set(done.solved) == {done.misses[0].key, warned.warnings[0].key}


def test_it_warns_ahead_by_what_is_usual() -> None:
    found = look("running", None, 10)
    assert (found.misses, found.open, found.next_due) == ((), 1, minute(30))
    assert found.warnings[0].warning
    assert look("running", None, 10, Tier.NICE_TO_HAVE).warnings == ()


def test_done_in_time_is_quiet() -> None:
    found = look("success", 20, 60)
    assert (found.misses, found.warnings, found.open) == ((), (), 0)


def test_percentiles_are_those_of_the_books() -> None:
    """Hyndman and Fan, type 7: what numpy and spreadsheets call inclusive."""
    assert percentile([1, 2, 3, 4], 50) == 2.5
    assert percentile([15, 20, 35, 40, 50], 40) == pytest.approx(29)
    assert percentile([7], 99) == 7


def test_little_history_predicts_nothing() -> None:
    assert predicted_end(minute(0), [60.0] * 4, 90, minute(1)) is None
    assert suggested_minutes([60.0] * 4) is None


def test_what_takes_longer_than_ever_ends_no_earlier_than_now() -> None:
    assert predicted_end(minute(0), [60.0] * 5, 90, minute(30)) == minute(30)
    assert predicted_end(minute(0), [60.0] * 5, 90, minute(0)) == minute(0) + timedelta(minutes=1)


def test_a_history_suggests_its_sla() -> None:
    low, high = suggested_minutes([600.0] * 10) or (0, 0)
    assert (low, high) == (pytest.approx(12), pytest.approx(13))
