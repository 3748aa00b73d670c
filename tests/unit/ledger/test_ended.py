"""Rows of Airflow's database -> what the ledger keeps of a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_dataops.core.ledger.ended import events_of, results
from airflow_dataops.core.ledger.events import CheckEvent, RunEvent, TaskEvent, VolumeEvent
from airflow_dataops.core.runs import DagInfo, ReturnedRow, RunRow, RunRows, TryRow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = RunRow("shop", "r", "scheduled", "failed", NOON, NOON, NOON, NOON, NOON + 9 * MINUTE)


def row(state: str | None, *, number: int = 1, archived: bool = False, **fields: Any) -> TryRow:
    given = {
        "task_id": "orders",
        "map_index": -1,
        "operator": "DbtBuildOperator",
        "queued_at": NOON,
        "start_date": NOON + MINUTE,
        "end_date": NOON + 3 * MINUTE,
        "updated_at": NOON + 3 * MINUTE,
    }
    return TryRow(try_number=number, state=state, archived=archived, **given | fields)


def events(*rows: TryRow, told: Any = None) -> list[Any]:
    returned = [] if told is None else [ReturnedRow("orders", -1, told)]
    about = DagInfo(owner="finance", tags=("gold",), owners={"orders": "ada"})
    return events_of(RunRows(RUN, list(rows), returned, about), NOON + 10 * MINUTE)


def tasks(*rows: TryRow) -> dict[int, TaskEvent]:
    return {each.try_number: each for each in events(*rows) if isinstance(each, TaskEvent)}


def test_a_run_and_its_tries() -> None:
    run, first, second = events(row("failed", archived=True), row("success", number=2))
    assert isinstance(run, RunEvent)
    assert (run.state, run.owner, run.ended_at) == ("failed", "finance", NOON + 9 * MINUTE)
    assert (first.try_number, first.state) == (1, "failed")
    assert (second.try_number, second.state, second.owner) == (2, "success", "ada")
    assert second.ended_at - second.started_at == 2 * MINUTE


def test_what_never_ran_has_no_start() -> None:
    found = tasks(row("upstream_failed", number=0, start_date=None, queued_at=None))
    assert (found[0].state, found[0].started_at) == ("upstream_failed", None)


def test_a_cleared_task_that_is_skipped_then_is_the_next_try() -> None:
    """Airflow leaves it the number and the dates of the try before."""
    found = tasks(row("failed", archived=True), row("skipped", updated_at=NOON + 8 * MINUTE))
    assert (found[1].state, found[1].ended_at) == ("failed", NOON + 3 * MINUTE)
    assert (found[2].state, found[2].started_at) == ("skipped", None)
    assert found[2].ended_at == NOON + 8 * MINUTE


@pytest.mark.parametrize(
    ("told", "rows", "bytes_"),
    [
        ({"node": "model.a", "relation": "m.a", "action": "created", "rows": 12}, 12, None),
        ({"target": "m.a", "staged": 9, "inserted": 2, "updated": 3, "bytes": 77}, 5, 77),
        ({"nodes": [{"node": "a", "rows": 1}, {"node": "b", "rows": 2}, {"node": "v"}]}, 3, None),
        ({"node": "model.a", "status": "not selected"}, None, None),
        ("a text", None, None),
        ({"rows": -4, "node": True}, None, None),
    ],
)
def test_rows_and_bytes_are_what_the_operator_returned(
    told: object, rows: int | None, bytes_: int | None
) -> None:
    [task] = [each for each in events(row("success"), told=told) if isinstance(each, TaskEvent)]
    assert (task.rows, task.bytes) == (rows, bytes_)


def test_volumes_are_of_the_table() -> None:
    found = events(row("success"), told={"node": "model.a", "relation": "m.a", "rows": 12})
    [volume] = [each for each in found if isinstance(each, VolumeEvent)]
    assert (volume.relation, volume.rows, volume.observed_at) == ("m.a", 12, NOON + 3 * MINUTE)
    assert (volume.dag_id, volume.run_id, volume.task_id) == ("shop", "r", "orders")


def test_verdicts_are_checks() -> None:
    told = {
        "tests": [
            {"node": "test.unique", "status": "fail", "failures": 3, "message": "3 rows"},
            {"node": "test.null", "status": "pass", "failures": 0},
        ]
    }
    found = [each for each in events(row("failed"), told=told) if isinstance(each, CheckEvent)]
    assert [(each.subject, each.status, each.value) for each in found] == [
        ("test.unique", "fail", 3),
        ("test.null", "pass", 0),
    ]
    [fresh] = [
        each
        for each in events(row("success"), told={"node": "s", "status": "warn", "age_minutes": 90})
        if isinstance(each, CheckEvent)
    ]
    assert (fresh.name, fresh.value) == ("freshness", 90)


def test_what_is_told_twice_counts_once() -> None:
    node = {"node": "a", "rows": 1}
    assert len(results([node, {"nodes": [node]}])) == 1
