"""Sensors and their trigger, without a server: what each look leads to."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from airflow.sdk import DAG, Asset, BaseSensorOperator
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from airflow.serialization.serialized_objects import BaseSerialization, DagSerialization
from airflow.triggers.base import TaskSkippedEvent, TaskSuccessEvent

from airflow_dataops import (
    FileCompleteSensor,
    ModelPublishedSensor,
    PartitionCompleteSensor,
    RowCountStableSensor,
    TableFreshSensor,
)
from airflow_dataops.core.health.watches import Seen, Sight
from airflow_dataops.core.ledger.events import VolumeEvent
from airflow_dataops.errors import ConfigError, RetryableError
from airflow_dataops.hooks.alerts import open_ledger
from airflow_dataops.sensors import base
from airflow_dataops.triggers import watching
from airflow_dataops.triggers.watching import MOST_ERRORS, WatchTrigger
from tests.connections import connect_duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WAITING, MET, MISSING, ERRORED, WRONG = (
    Sight(seen=seen, message=f"{seen}.", mark="1")
    for seen in (Seen.WAITING, Seen.MET, Seen.MISSING, Seen.ERRORED, Seen.WRONG)
)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "shop.duckdb"
    connect_duckdb(monkeypatch, "shop", file)
    return file


def fill(file: Path, sql: str) -> None:
    with duckdb.connect(str(file)) as database:
        database.execute(sql)


def fired(sights: Sequence[Sight], monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Any:
    """Run a trigger, as another triggerer would make it, to its event; the last sight repeats."""
    left = list(sights)

    def look(asked: Sequence[Any]) -> list[Sight]:
        return [left.pop(0) if len(left) > 1 else left[0]] * len(asked)

    monkeypatch.setattr(watching, "looker", lambda conn_id, watch: (object(), look))
    given = {"interval": 0.001, "timeout": 60.0} | settings
    watch = {"type": "RowsWatch", "table": "orders"}
    _, arguments = WatchTrigger("shop", watch, **given).serialize()

    async def run() -> Any:
        return [event async for event in WatchTrigger(**json.loads(json.dumps(arguments))).run()]

    [event] = asyncio.run(run())
    return event


def test_what_is_met_ends_the_task_in_the_triggerer(monkeypatch: pytest.MonkeyPatch) -> None:
    event = fired([WAITING, MISSING, ERRORED, WAITING, MET], monkeypatch)
    assert isinstance(event, TaskSuccessEvent)
    assert event.xcoms == {"return_value": "met."}
    assert fired([MET], monkeypatch, returns=False).xcoms is None


def test_a_worker_goes_on_where_something_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fired([MET], monkeypatch, resumes=True).payload == {"seen": "met", "message": "met."}
    assert fired([WRONG], monkeypatch).payload["seen"] == "wrong"
    assert fired([MISSING], monkeypatch, fails=True).payload["seen"] == "missing"


def test_a_place_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = [ERRORED] * MOST_ERRORS
    assert fired([*enough, MET], monkeypatch).payload["seen"] == "errored"
    interrupted = [*enough[1:], WAITING, *enough[1:], MET]
    assert isinstance(fired(interrupted, monkeypatch), TaskSuccessEvent)


def test_who_is_late_fails_or_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    late = fired([WAITING], monkeypatch, timeout=0.05)
    assert late.payload == {"seen": "late", "message": "waiting."}
    assert isinstance(fired([WAITING], monkeypatch, timeout=0.05, soft_fail=True), TaskSkippedEvent)


def test_it_looks_once_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(fired([MET], monkeypatch, timeout=0.0), TaskSuccessEvent)
    assert fired([WAITING], monkeypatch, timeout=0.0).payload["message"] == "waiting."


def test_what_changes_is_not_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = [Sight(seen=Seen.MET, message="rows.", mark=str(n % 2)) for n in range(1000)]
    late = fired(marks, monkeypatch, timeout=0.1, steady_for=60.0)
    assert late.payload["seen"] == "late"
    assert "Unchanged for" in late.payload["message"]
    assert isinstance(fired([MET], monkeypatch, steady_for=0.01), TaskSuccessEvent)


def test_a_day_that_is_none_is_no_reason_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = {"type": "RowsWatch", "table": "orders", "column": "at", "day": "yesterday"}

    async def run() -> Any:
        trigger = WatchTrigger("shop", watch, interval=1, timeout=60)
        return [event async for event in trigger.run()]

    [event] = asyncio.run(run())
    assert event.payload["seen"] == "wrong"
    assert "yesterday" in event.payload["message"]


def all_sensors(**more: Any) -> dict[str, BaseSensorOperator]:
    """Return one of each, in a DAG."""
    with DAG("waiting", schedule=None, start_date=datetime(2026, 1, 1)):
        of_table = {"table": "shop.main.orders", "conn_id": "shop"} | more
        sensors = [
            TableFreshSensor(task_id="fresh", column="at", max_age=3600, **of_table),
            PartitionCompleteSensor(task_id="day", column="at", min_rows=2, **of_table),
            RowCountStableSensor(task_id="rows", steady_for=0.01, **of_table),
            ModelPublishedSensor(task_id="ledger", known_by="ledger", **of_table),
            FileCompleteSensor(task_id="files", url="/lake/{{ ds }}/*.csv", **more),
        ]
    return {each.task_id: each for each in sensors}


def test_they_start_in_the_triggerer_as_airflow_keeps_them() -> None:
    """The oracle is Airflow's own serialization: what its scheduler will defer."""
    sensors = all_sensors()
    dag = next(iter(sensors.values())).dag
    restored = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    for name, sensor in sensors.items():
        task = restored.get_task(name)
        assert task.start_from_trigger, name
        arguments = task.start_trigger_args
        assert arguments.timeout > timedelta(seconds=sensor.timeout)
        with pytest.raises(TaskDeferred) as deferred:
            sensor.execute({})
        assert deferred.value.trigger.serialize() == (
            arguments.trigger_cls,
            BaseSerialization.deserialize(arguments.trigger_kwargs),
        )
        assert deferred.value.method_name == arguments.next_method


def test_they_stay_on_workers_where_they_are_told_to() -> None:
    for more in ({"mode": "poke"}, {"mode": "reschedule"}, {"deferrable": False}):
        assert not any(sensor.start_from_trigger for sensor in all_sensors(**more).values())
    before = all_sensors(on_execute_callback=print)["fresh"]
    assert before.deferrable
    assert not before.start_from_trigger
    after = all_sensors(outlets=[Asset("orders")])["fresh"]
    assert after.start_trigger_args.trigger_kwargs["resumes"]


def test_what_is_wrong_is_told_where_it_is_written() -> None:
    def fresh(**more: Any) -> TableFreshSensor:
        given = {"table": "t", "conn_id": "c", "column": "at", "max_age": 60}
        return TableFreshSensor(task_id="t", **(given | more))

    for wrong in (
        {"timezone": "Middle/Earth"},
        {"max_age": 0},
        {"missing": "perhaps"},
        {"conn_id": None},
        {"exponential_backoff": True},
        {"max_agee": 1},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            fresh(**wrong)
    with pytest.raises(ConfigError, match="timezone"):
        PartitionCompleteSensor(task_id="t", table="t", conn_id="c", column="d", timezone="x")
    with pytest.raises(ConfigError, match="2026-01-31"):
        PartitionCompleteSensor(task_id="t", table="t", conn_id="c", column="d", day="today")
    with pytest.raises(ConfigError, match="marker"):
        FileCompleteSensor(task_id="t", url="/a/*.csv", marker="../x")
    with pytest.raises(ConfigError, match="steady_for"):
        FileCompleteSensor(task_id="t", url="/a/*.csv", steady_for=0)
    with pytest.raises(ConfigError, match="known_by"):
        ModelPublishedSensor(task_id="t", table="a.b.c", conn_id="c", deferrable=True)


def test_a_worker_looks_at_the_table_itself(warehouse: Path) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    fill(warehouse, f"create table orders as select timestamp '{now}' as at")
    met = TableFreshSensor(
        task_id="t", table="orders", conn_id="shop", column="at", max_age=3600, mode="poke"
    )
    assert met.execute({}).startswith("The newest row is of ")
    day = PartitionCompleteSensor(
        task_id="d",
        table="orders",
        conn_id="shop",
        column="at",
        day=date(2000, 1, 1),
        mode="poke",
    )
    assert not day.poke({})
    fill(warehouse, "insert into orders values ('2000-01-01 12:00')")
    assert day.poke({})


def test_a_missing_table_is_waited_for_or_fails(warehouse: Path) -> None:
    given = {"table": "nowhere", "conn_id": "shop", "steady_for": 1, "mode": "poke"}
    assert not RowCountStableSensor(task_id="t", **given).poke({})
    with pytest.raises(AirflowFailException, match="no table nowhere"):
        RowCountStableSensor(task_id="t", missing="fail", **given).execute({})
    with pytest.raises(AirflowSkipException):
        RowCountStableSensor(task_id="t", missing="fail", soft_fail=True, **given).execute({})


def test_what_cannot_be_asked_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(conn_id: Any, watch: Any) -> Any:
        def look(asked: Any) -> Any:
            raise ConnectionError("down")

        return "key", look

    monkeypatch.setattr(base, "looker", down)
    given = {"task_id": "t", "table": "t", "conn_id": "c", "steady_for": 1, "mode": "poke"}
    with pytest.raises(RetryableError, match="down"):
        RowCountStableSensor(**given).execute({})
    with pytest.raises(AirflowSkipException):
        RowCountStableSensor(never_fail=True, **given).execute({})


class Store(dict[str, Any]):
    """Airflow's store of a task's state, as far as it is used."""

    def set(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))


def test_a_rescheduled_sensor_remembers_what_it_saw(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each poke is a process of its own."""
    fill(warehouse, "create table orders as select 1 as id")
    store = Store()
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def poke(after: int) -> bool:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return start + timedelta(seconds=after)

        monkeypatch.setattr(base, "datetime", Clock)
        given = {"table": "orders", "conn_id": "shop", "steady_for": 60, "mode": "reschedule"}
        return bool(RowCountStableSensor(task_id="t", **given).poke({"task_state_store": store}))

    assert [poke(0), poke(59)] == [False, False]
    fill(warehouse, "insert into orders values (2)")
    assert [poke(61), poke(120), poke(121)] == [False, False, True]


def test_the_resumed_task_says_what_was_waited_for(warehouse: Path) -> None:
    sensor = TableFreshSensor(
        task_id="t", table="orders", conn_id="shop", column="at", max_age=1, timeout=60
    )
    assert sensor.ended({}, {"seen": "met", "message": "Fine."}) == "Fine."
    for seen, kind in (
        ("late", AirflowSensorTimeout),
        ("wrong", AirflowFailException),
        ("errored", RetryableError),
    ):
        with pytest.raises(kind, match="Old"):
            sensor.ended({}, {"seen": seen, "message": "Old."})


def test_a_model_is_published_by_what_the_ledger_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    sensor = ModelPublishedSensor(
        task_id="t",
        table="shop.main.orders",
        conn_id="c",
        known_by="ledger",
        mode="poke",
    )
    now = datetime.now(UTC)
    sensor.watch["since"] = "2026-01-02T00:00:00+00:00"
    event = VolumeEvent(
        relation="SHOP.main.Orders",
        measure="written",
        observed_at=datetime(2026, 1, 1, 23, tzinfo=UTC),
        rows=1,
    )
    ledger = open_ledger()
    ledger.write([event])
    assert not sensor.poke({})
    ledger.write(
        [VolumeEvent(relation="shop.main.other", measure="written", observed_at=now, rows=1)]
    )
    assert not sensor.poke({})
    ledger.write([VolumeEvent(relation=event.relation, measure="written", observed_at=now, rows=0)])
    assert sensor.poke({}).xcom_value == f"shop.main.orders was written at {now.isoformat()}."


def test_files_are_complete_once_their_marker_or_all_of_their_list_is_there(
    tmp_path: Path,
) -> None:
    url = f"{tmp_path}/*.csv"

    def poke(**more: Any) -> Any:
        return FileCompleteSensor(task_id="t", url=url, mode="poke", **more).poke({})

    assert not poke(marker="_SUCCESS")
    with pytest.raises(AirflowFailException, match="no such file"):
        poke(marker="_SUCCESS", missing="fail")
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert not poke(marker="_SUCCESS")
    assert not poke(marker="_SUCCESS", min_files=2)
    (tmp_path / "_SUCCESS").touch()
    assert poke(marker="_SUCCESS")
    assert not poke(manifest="files.json")
    listed = {"entries": [{"url": "s3://x/a.csv"}, {"url": "b.csv", "meta": {"content_length": 5}}]}
    (tmp_path / "files.json").write_text(json.dumps(["a.csv", "b.csv"]))
    assert "b.csv, listed in files.json" in poke(manifest="files.json").xcom_value
    (tmp_path / "b.csv").write_text("id")
    assert poke(manifest="files.json")
    (tmp_path / "files.json").write_text(json.dumps(listed))
    assert not poke(manifest="files.json")
    listed["entries"][0]["url"] = f"file://{tmp_path}/a.csv"
    (tmp_path / "files.json").write_text(json.dumps(listed))
    assert not poke(manifest="files.json")
    (tmp_path / "b.csv").write_text("id\n1\n")
    assert poke(manifest="files.json")
    (tmp_path / "files.json").write_text("{]")
    with pytest.raises(AirflowFailException, match="is no manifest"):
        poke(manifest="files.json")


def test_a_file_that_grows_is_not_complete(tmp_path: Path) -> None:
    sensor = FileCompleteSensor(task_id="t", url=f"{tmp_path}/a.csv", steady_for=3600, mode="poke")
    (tmp_path / "a.csv").write_text("id\n")
    assert not sensor.poke({})
    since = sensor._steady.since
    assert not sensor.poke({})
    assert sensor._steady.since == since
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert not sensor.poke({})
    assert sensor._steady.since != since


def test_a_published_asset_is_waited_for_on_workers() -> None:
    sensor = ModelPublishedSensor(task_id="t", table="shop.main.orders", conn_id="c")
    assert (sensor.mode, sensor.start_from_trigger) == ("reschedule", False)
    [asset] = sensor.inlets
    assert asset.uri == "dataops://c/shop/main/orders"
    now = datetime.now(UTC)
    sensor.watch["since"] = now.isoformat()

    class Events(list[Any]):
        def ascending(self, up: bool) -> Events:
            return self

        def limit(self, n: int) -> Events:
            return self

    class Event:
        timestamp = now - timedelta(seconds=1)

    context = {"inlet_events": {asset: Events()}}
    assert not sensor.poke(context)
    context["inlet_events"][asset].append(Event)
    assert not sensor.poke(context)
    Event.timestamp = now
    assert sensor.poke(context)
    Event.timestamp = now - timedelta(seconds=1)
    context["ti"] = type("Ti", (), {"get_first_reschedule_date": lambda self, c: now})()
    with pytest.raises(AirflowRescheduleException):
        sensor.execute(context)
