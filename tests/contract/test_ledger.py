"""The `Ledger` port over SQLite and Postgres."""

from __future__ import annotations

import multiprocessing
import socket
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from airflow_dataops.adapters.ledger import migrate
from airflow_dataops.adapters.ledger.database import Database
from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.ledger.tables import HEAD, VERSION_TABLE, metadata
from airflow_dataops.core.ledger.events import (
    CheckEvent,
    CheckStatus,
    CostEvent,
    RunEvent,
    SlaEvent,
    TaskEvent,
    Via,
    VolumeEvent,
)
from airflow_dataops.core.sla.misses import Past, SlaMiss, Subject, SubjectKind, Tier
from airflow_dataops.errors import ConfigError
from tests.databases import KINDS, empty_database
from tests.pace import at_most

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def ledger(url: str) -> Iterator[LedgerStore]:
    store = LedgerStore(url)
    yield store
    store.close()


def task(state: str, minutes: int = 0, **fields: object) -> TaskEvent:
    at = NOON + minutes * MINUTE
    return TaskEvent(dag_id="shop", run_id="r", task_id="t", observed_at=at, state=state, **fields)


def miss(**fields: object) -> SlaMiss:
    given = {
        "sla": "by noon",
        "subject": Subject(kind=SubjectKind.TASK, dag_id="shop", run_id="r", task_id="orders"),
        "due": NOON,
        "detected_at": NOON + MINUTE,
        "tier": Tier.CRITICAL,
        "history": (Past(run_id="q", seconds=12.5),),
    }
    return SlaMiss(**given | fields)


EVENTS = [
    RunEvent(dag_id="d", run_id="r", observed_at=NOON, tags=("a", "b"), logical_date=NOON),
    task("success", rows=3_000_000_000, bytes=2**40, via=Via.RECONCILER),
    CheckEvent(
        subject="orders", name="rows", observed_at=NOON, status=CheckStatus.FAIL, value=0.25
    ),
    SlaEvent(sla="s", subject="orders", observed_at=NOON, definition={"due": "07:00"}),
    VolumeEvent(relation="orders", measure="table", observed_at=NOON, rows=12),
    CostEvent(platform="bigquery", job_id="j", observed_at=NOON, usd=0.0123, bytes=5),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_what_was_written_is_read(ledger: LedgerStore, event: TaskEvent) -> None:
    ledger.write([event, event])
    ledger.write([event])
    assert ledger.read(type(event)) == [event]


def test_many_kinds_are_written_at_once(ledger: LedgerStore) -> None:
    ledger.write(EVENTS)
    assert [ledger.read(type(event)) for event in EVENTS] == [[event] for event in EVENTS]


def test_a_later_event_adds_to_an_earlier_one(ledger: LedgerStore) -> None:
    ledger.write([task("running", 1, started_at=NOON, owner="ada")])
    ledger.write([task("success", 2, ended_at=NOON + MINUTE)])
    assert ledger.read(TaskEvent) == [
        task("success", 2, started_at=NOON, ended_at=NOON + MINUTE, owner="ada")
    ]


def test_an_earlier_event_that_comes_late_changes_nothing(ledger: LedgerStore) -> None:
    ledger.write([task("success", 2)])
    ledger.write([task("running", 1)])
    assert ledger.read(TaskEvent) == [task("success", 2)]


def test_events_are_found_by_time_and_field(ledger: LedgerStore) -> None:
    ledger.write([task("success", minute, try_number=minute) for minute in range(1, 6)])
    found = ledger.read(TaskEvent, since=NOON + 2 * MINUTE, until=NOON + 5 * MINUTE)
    assert [event.try_number for event in found] == [4, 3, 2]
    assert ledger.read(TaskEvent, try_number=5, state="success") == [
        task("success", 5, try_number=5)
    ]
    assert len(ledger.read(TaskEvent, limit=2)) == 2


def test_times_keep_their_moment_whatever_their_zone(ledger: LedgerStore) -> None:
    local = NOON.astimezone(ZoneInfo("Asia/Tokyo"))
    ledger.write([task("running", started_at=local)])
    assert ledger.read(TaskEvent)[0].started_at == NOON


def test_a_time_without_zone_is_refused(ledger: LedgerStore) -> None:
    with pytest.raises(Exception, match="has no time zone"):
        ledger.write([task("running", started_at=NOON.replace(tzinfo=None))])


def test_a_miss_is_kept_once_and_solved_once(ledger: LedgerStore) -> None:
    assert ledger.miss(miss())
    assert not ledger.miss(miss(detected_at=NOON + 9 * MINUTE))
    assert ledger.open_misses(dag_id="shop") == [miss()]
    assert ledger.solve(miss().key, NOON)
    assert not ledger.solve(miss().key, NOON)
    assert not ledger.solve("unknown", NOON)
    assert ledger.open_misses() == []


def test_retention_takes_what_is_old_and_over(ledger: LedgerStore) -> None:
    other = miss(sla="another")
    ledger.write(EVENTS)
    ledger.write([task("running", 60, try_number=2)])
    ledger.miss(miss())
    ledger.miss(other)
    ledger.solve(other.key, NOON + MINUTE)
    assert ledger.prune(NOON + 30 * MINUTE) == len(EVENTS) + 1
    assert [event.try_number for event in ledger.read(TaskEvent)] == [2]
    assert ledger.open_misses() == [miss()]


def test_the_tables_are_those_of_the_migrations(ledger: LedgerStore) -> None:
    """Alembic finds no difference between `tables.py` and what its scripts made."""
    with ledger.database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        ours = [
            change
            for change in compare_metadata(context, metadata)
            if not (change[0] == "remove_table" and change[1].name == VERSION_TABLE)
        ]
    assert ours == []
    scripts = ScriptDirectory(str(migrate._SCRIPTS))
    assert scripts.get_heads() == [HEAD]


def test_an_earlier_revision_is_brought_up_to_date(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database, "0001")
    with database.write() as connection:
        connection.execute(
            text("INSERT INTO dataops_slas (sla, subject, observed_at) VALUES ('s', 'x', :at)"),
            {"at": "2026-11-20 12:00:00"},
        )
    store = LedgerStore(database)
    assert [event.sla for event in store.read(SlaEvent)] == ["s"]
    with database.read() as connection:
        assert migrate.revision_of(connection) == HEAD
    store.close()


def test_tables_of_a_newer_release_are_left_alone(ledger: LedgerStore) -> None:
    with ledger.database.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="revision 9999, which this release does not know"):
        LedgerStore(ledger.database)


def write_many(url: str, name: str, count: int, results: multiprocessing.Queue) -> None:
    store = LedgerStore(url)
    took = []
    for number in range(count):
        event = task("running", number, started_at=NOON)
        start = perf_counter()
        store.write(
            [TaskEvent(dag_id=name, run_id="r", task_id="t", observed_at=event.observed_at)]
        )
        took.append(perf_counter() - start)
        store.miss(miss(sla=f"sla {number}"))
    results.put(sorted(took))


@pytest.mark.sample(2)
def test_processes_may_write_at_once_from_the_first_moment(url: str) -> None:
    """Three processes open an empty database together; none of them loses or doubles anything."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=write_many, args=(url, f"dag{number}", 40, results))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 3
    store = LedgerStore(url)
    assert len(store.read(TaskEvent)) == 3
    assert len(store.open_misses()) == 40
    store.close()


def test_a_write_in_a_tasks_path_takes_milliseconds(ledger: LedgerStore) -> None:
    took = []
    for number in range(200):
        start = perf_counter()
        ledger.write([task("running", number, try_number=number)])
        took.append(perf_counter() - start)
    assert sorted(took)[100] < at_most(0.02)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ledger.db", "is no database URL"),
        ("mysql://host/db", "mysql is not supported"),
        ("sqlite://", "SQLite needs a file"),
    ],
)
def test_other_addresses_are_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Database(url)


def test_who_does_not_answer_is_left_after_seconds() -> None:
    """A host that takes connections and says nothing."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        began = perf_counter()
        with pytest.raises(OperationalError, match="timeout"):
            LedgerStore(f"postgresql://ada@127.0.0.1:{port}/db?connect_timeout=2")
        assert perf_counter() - began < at_most(6)


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(Database("postgresql://ada:hunter2@host/db"))
