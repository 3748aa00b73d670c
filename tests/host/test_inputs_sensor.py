"""Waiting for the tables of other DAGs: from when on they are fresh."""

from __future__ import annotations

from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from airflow_dataops.core.model import Relation
from airflow_dataops.core.plan import Input, StartWhen
from airflow_dataops.operators.inputs import InputsSensor, last_due

if TYPE_CHECKING:
    from airflow.sdk import Asset

UTC_ZONE = ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-{text}:00+00:00")


@pytest.mark.parametrize(
    ("maker", "own", "run", "due"),
    [
        ("@hourly", "@daily", "06T00:00", "06T00:00"),
        ("@daily", "@hourly", "06T05:00", "06T00:00"),
        ("@weekly", "@daily", "06T00:00", "04T00:00"),
        ("30 6 * * *", "@daily", "06T00:00", "05T06:30"),
        (None, "@daily", "06T00:00", "05T00:00"),
        (None, "0 6 * * *", "06T06:00", "05T06:00"),
        ("@once", "@daily", "06T00:00", None),
        (None, None, "06T00:00", None),
    ],
)
def test_a_maker_is_due_at_its_last_time_up_to_that_of_the_run(
    maker: str | None, own: str | None, run: str, due: str | None
) -> None:
    assert last_due(maker, own, at(run), UTC_ZONE) == (at(due) if due else None)


@pytest.mark.parametrize(
    "zone", [ZoneInfo("Europe/Berlin"), pendulum.timezone("Europe/Berlin"), pendulum.timezone(3600)]
)
def test_times_are_those_of_the_dags_zone(zone: tzinfo) -> None:
    """Airflow's DAGs carry pendulum's zones, or fixed offsets."""
    assert last_due("@daily", "@hourly", at("06T05:00"), zone) == at("05T23:00")


class Events(list[Any]):
    """Asset events, as a task may ask for them: the newest first, one of them."""

    def ascending(self, flag: bool) -> Events:
        return Events(sorted(self, key=lambda event: event.timestamp, reverse=not flag))

    def limit(self, count: int) -> Events:
        return Events(self[:count])


class Ti:
    """The runs under way, by DAG."""

    def __init__(self, running: dict[str, list[str]]) -> None:
        self._running = running

    def get_dr_count(self, dag_id: str, states: list[str], run_ids: list[str] | None = None) -> int:
        assert states == ["queued", "running"]
        found = self._running.get(dag_id, [])
        return len([run for run in found if run_ids is None or run in run_ids])


def context(
    run_type: str, running: dict[str, list[str]] | None = None, **events: list[datetime]
) -> Any:
    """A run at midnight, with the events of the assets of tables: one a run of `make_<table>`."""

    class Inlets:
        def __getitem__(self, asset: Asset) -> Events:
            table = asset.name.rsplit("/", 1)[1]
            return Events(
                SimpleNamespace(
                    timestamp=time, source_dag_id=f"make_{table}", source_run_id=f"run_{number}"
                )
                for number, time in enumerate(events.get(table, ()))
            )

    return {
        "ti": Ti(running or {}),
        "dag_run": SimpleNamespace(run_type=run_type, run_after=at("06T00:00")),
        "dag": SimpleNamespace(timezone=UTC_ZONE),
        "inlet_events": Inlets(),
    }


def sensor(start_when: StartWhen = StartWhen.ALL) -> InputsSensor:
    return InputsSensor(
        task_id="inputs.wait",
        conn_id="w",
        inputs=[
            Input(relation=Relation(identifier=name), maker="other", schedule="@daily")
            for name in ("a", "b")
        ],
        start_when=start_when,
        schedule="0 0 * * *",
    )


FRESH, STALE = [at("05T00:10"), at("06T00:10")], [at("05T00:10"), at("05T23:59")]


@pytest.mark.parametrize(
    ("a", "b", "on_all", "on_any"),
    [
        (FRESH, FRESH, True, True),
        (FRESH, STALE, False, True),
        (STALE, STALE, False, False),
        ([], FRESH, False, True),
        ([], [], False, False),
    ],
)
def test_all_or_any_inputs_must_be_fresh(
    a: list[datetime], b: list[datetime], on_all: bool, on_any: bool
) -> None:
    asked = context("scheduled", a=a, b=b)
    assert sensor().poke(asked) is on_all
    assert sensor(StartWhen.ANY).poke(asked) is on_any


@pytest.mark.parametrize(
    ("running", "goes_on"),
    [
        ([], True),
        (["run_1"], True),
        (["run_2"], False),
        (["run_1", "run_2"], False),
    ],
)
def test_a_run_of_the_maker_that_is_under_way_is_waited_for(
    running: list[str], goes_on: bool
) -> None:
    """The last event before this run is of `run_1`; what else runs will emit a newer one."""
    events = [at("05T00:10"), at("06T00:00")]
    asked = context("asset_triggered", {"make_a": running}, a=events, b=FRESH)
    asked["dag_run"].run_after = at("06T00:05")
    assert sensor().poke(asked) is goes_on


def test_what_came_after_the_start_is_fresh_whatever_else_runs() -> None:
    assert sensor().poke(context("scheduled", {"make_a": ["run_9"]}, a=FRESH, b=FRESH))


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_runs_that_somebody_asked_for_do_not_wait(run_type: str) -> None:
    assert sensor().poke(context(run_type))


def test_it_frees_its_slot_while_it_waits_and_gives_up_after_half_a_day() -> None:
    waiting = sensor()
    assert (waiting.mode, waiting.timeout, waiting.poke_interval) == ("reschedule", 12 * 3600, 60)
    assert [asset.uri for asset in waiting.inlets] == ["dataops://w/a", "dataops://w/b"]
