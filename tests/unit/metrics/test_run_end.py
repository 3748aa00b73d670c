"""The counting rules: each task instance once per leg, each superseded try once, ever."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.core.metrics.run_end import EndDecision, additions, judge
from airflow_dataops.core.runs import RunEnd, RunRow, TryRow

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def row(
    task: str,
    state: str | None,
    end: float | None,
    *,
    number: int = 1,
    archived: bool = False,
    updated: float | None = None,
    map_index: int = -1,
) -> TryRow:
    start = None if end is None else at(end - 2)
    queued = None if end is None else at(end - 3)
    last = updated if updated is not None else end
    return TryRow(
        task_id=task,
        map_index=map_index,
        try_number=number,
        state=state,
        operator="DbtBuildOperator",
        queued_at=queued,
        start_date=start,
        end_date=None if end is None else at(end),
        updated_at=None if last is None else at(last),
        archived=archived,
    )


def counts(rows: list[TryRow], begin: float = 0, end: float | None = None) -> Counter[str]:
    found = additions(rows, at(begin), None if end is None else at(end))
    return Counter(
        addition.metric.name.removeprefix("airflow.task.")
        for addition in found
        if addition.metric.kind == "counter"
    )


def test_each_state_has_a_counter() -> None:
    states = ["success", "failed", "skipped", "upstream_failed", "removed", None, "running"]
    rows = [row(f"t{n}", state, 5) for n, state in enumerate(states)]
    assert counts(rows) == {
        "success": 1,
        "failure": 1,
        "skipped": 1,
        "upstream_failed": 1,
        "removed": 1,
        "unfinished": 2,
    }


def test_mapped_task_instances_count_each() -> None:
    assert counts([row("t", "success", 5, map_index=n) for n in range(3)]) == {"success": 3}


def test_tries_before_the_last_one_are_retries() -> None:
    rows = [
        row("t", "failed", 5, number=1, archived=True),
        row("t", "failed", 9, number=2, archived=True),
        row("t", "success", 13, number=3),
    ]
    assert counts(rows) == {"success": 1, "retry": 2}


def test_a_try_that_never_started_is_no_retry() -> None:
    """Airflow archives a task instance that is cleared while it waits, with try number 0."""
    rows = [row("t", "failed", 5, number=0, archived=True), row("t", "success", 9, number=1)]
    assert counts(rows) == {"success": 1}


def test_a_cleared_task_counts_again_and_the_others_do_not() -> None:
    first = [row("a", "success", 5), row("b", "failed", 6)]
    assert counts(first, begin=0) == {"success": 1, "failure": 1}
    second = [
        row("a", "success", 5),
        row("b", "failed", 6, number=1, archived=True),
        row("b", "success", 105, number=2),
    ]
    assert counts(second, begin=100) == {"success": 1}


def test_a_cleared_task_that_is_not_run_counts_although_it_keeps_its_old_end() -> None:
    """What the scheduler skips or fails gets no new end date; its try number is archived."""
    second = [
        row("a", "success", 5, number=1, archived=True),
        row("a", "upstream_failed", 5, number=1, updated=104),
    ]
    assert counts(second, begin=100) == {"upstream_failed": 1}
    assert counts(second, begin=200) == {}, "and in the next leg it does not"


def test_a_leg_that_is_past_counts_what_was_there_then() -> None:
    """The run was cleared before its end was read."""
    rows = [
        row("a", "failed", 3, number=1, archived=True),
        row("a", "success", 6, number=2, archived=True),
        row("a", "running", None, number=3),
        row("b", "success", 7),
        row("c", "success", 120),
    ]
    assert counts(rows, begin=0, end=10) == {"success": 2, "retry": 1}


def test_durations_are_of_what_ran() -> None:
    rows = [
        row("a", "success", 10),
        row("b", "upstream_failed", 10)._replace(queued_at=None),
        row("c", "success", 10)._replace(queued_at=None),  # an EmptyOperator
    ]
    found = [
        (a.metric.name, a.task_id, a.value)
        for a in additions(rows, at(0))
        if a.metric.kind == "timing"
    ]
    assert found == [
        ("airflow.task.run_seconds", "a", 2.0),
        ("airflow.task.queue_seconds", "a", 1.0),
    ]


FATES = st.sampled_from(["success", "failed", "skipped"])


@given(st.lists(st.tuples(st.lists(FATES, min_size=1, max_size=3), st.booleans()), max_size=8))
def test_over_all_legs_each_try_counts_exactly_once(tasks: list[tuple[list[str], bool]]) -> None:
    """Each task runs some tries in the first leg; some are cleared and run once more."""
    rows: list[TryRow] = []
    for number, (fates, _) in enumerate(tasks):
        for n, fate in enumerate(fates, 1):
            rows.append(row(f"t{number}", fate, n, number=n, archived=n < len(fates)))
    total = counts(rows, begin=0)
    second = []
    for number, (fates, cleared) in enumerate(tasks):
        mine = [r for r in rows if r.task_id == f"t{number}"]
        if cleared:
            again = row(f"t{number}", "success", 105, number=len(fates) + 1)
            second += [*(r._replace(archived=True) for r in mine), again]
        else:
            second += mine
    total += counts(second, begin=100)
    assert total.total() == len(second)
    assert total["retry"] == sum(len(fates) - 1 for fates, _ in tasks)


def seen(*, by_hand: bool = False, heard: float = 10.1) -> RunEnd:
    return RunEnd("shop", "r1", "manual", "success", at(0), at(1), at(10), by_hand, at(heard))


@pytest.mark.parametrize(
    ("committed", "decision"),
    [
        (None, EndDecision.IGNORE),
        (("success", 0, 10, 10), EndDecision.COUNT),
        (("running", 0, None, 9), EndDecision.WAIT),
        (("success", 0, 12, 12), EndDecision.IGNORE),
        (("running", 11, None, 11), EndDecision.COUNT_PAST),
        (("success", 11, 15, 15), EndDecision.COUNT_PAST),
    ],
    ids=["deleted", "committed", "not yet", "rolled back", "cleared", "cleared and ended"],
)
def test_the_end_counts_once_it_is_committed(
    committed: tuple[str, float, float | None, float] | None, decision: EndDecision
) -> None:
    assert judge(seen(), committed and run_row(*committed)) is decision


def run_row(state: str, queued: float, end: float | None, updated: float) -> RunRow:
    ended = None if end is None else at(end)
    return RunRow(
        "shop", "r1", state=state, queued_at=at(queued), end_date=ended, updated_at=at(updated)
    )


def test_a_run_that_is_ended_by_hand_counts_and_one_that_had_ended_does_not() -> None:
    assert judge(seen(by_hand=True), run_row("success", 0, 10, 10.01)) is EndDecision.COUNT
    assert judge(seen(by_hand=True), run_row("failed", 0, 10, 60)) is EndDecision.IGNORE


def test_a_run_that_had_ended_and_is_cleared_after_its_state_was_set_does_not_count() -> None:
    cleared = run_row("running", 61, None, 61)
    assert judge(seen(by_hand=True, heard=60), cleared) is EndDecision.IGNORE
    assert judge(seen(by_hand=True), cleared) is EndDecision.COUNT_PAST
