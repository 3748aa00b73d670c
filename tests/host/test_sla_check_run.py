"""What Airflow's deadlines call: many at once are one look, and nothing raises."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters.watch.reconciler import Pass
from airflow_dataops.callbacks import sla
from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.adapters.watch.answers import Run

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


class Watch:
    """Keeps what it is asked to look at; fails as often as it is told."""

    def __init__(self, fails: int = 0) -> None:
        self.asked: list[list[str]] = []
        self.at: list[datetime] = []
        self.fails = fails

    def look_at(self, runs: Sequence[Run], now: datetime) -> Pass:
        if self.fails:
            self.fails -= 1
            raise RetryableError("the api-server is away")
        self.asked.append([run.dag_run_id for run in runs])
        self.at.append(now)
        return Pass(looked=len(runs))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch()
    monkeypatch.setattr(sla, "open_watch", lambda conn_id: found)
    return found


def context(run_id: str = "r", due: datetime = NOW) -> dict[str, Any]:
    """As the scheduler sends it: the run as REST shows it."""
    run = {
        "dag_id": "shop",
        "dag_run_id": run_id,
        "run_type": "scheduled",
        "state": "running",
        "run_after": NOW.isoformat(),
        "queued_at": NOW.isoformat(),
        "start_date": None,
        "conf": {},
    }
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": due}}


def test_runs_that_are_due_at_once_are_one_look(watch: Watch) -> None:
    async def together() -> list[str]:
        return await asyncio.gather(*(sla.check_run(context(f"r{n}")) for n in range(20)))

    answers = asyncio.run(together())
    assert set(answers) == {"20 runs that are due looked at: 0 new misses"}
    assert watch.asked == [[f"r{n}" for n in range(20)]]


def test_it_is_past_due_even_if_this_clock_is_slow(watch: Watch) -> None:
    due = datetime.now(UTC) + timedelta(seconds=5)
    asyncio.run(sla.check_run(context(due=due)))
    assert watch.at[0] > due


def test_it_tells_what_is_wrong_and_goes_on(watch: Watch) -> None:
    async def twice() -> list[str]:
        return [await sla.check_run(context()), await sla.check_run(context())]

    watch.fails = 1
    first, second = asyncio.run(twice())
    assert first == "RetryableError: the api-server is away"
    assert second.startswith("1 runs")
    assert asyncio.run(sla.check_run({})) == "KeyError: 'dag_run'"
