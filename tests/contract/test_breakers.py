"""Circuit breakers that many workers share, on both databases of the ledger."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_dataops.adapters.ledger.breakers import BreakerStore, Ticket
from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.breaker import Breaker, Limits, State
from tests.databases import KINDS, empty_database
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.adapters.ledger.database import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKERS, THRESHOLD = 20, 5


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, tmp_path) as url:
        ledger = LedgerStore(url)
        yield ledger.database
        ledger.close()


def admitted(store: BreakerStore, limits: Limits) -> Ticket:
    ticket = store.admit("api", limits)
    assert ticket is not None
    return ticket


def test_a_breaker_opens_lets_one_probe_through_and_closes(database: Database) -> None:
    clock, limits = FakeClock(START), Limits(threshold=2, reset_after=60)
    store, other = (BreakerStore(database, clock.now) for _ in range(2))
    assert store.read("api") == Breaker()
    first, second, late = (admitted(store, limits) for _ in range(3))
    assert store.failed("api", first, limits, "down").state is State.CLOSED
    assert store.failed("api", second, limits, "password=hunter2").state is State.OPEN
    assert "hunter2" not in str(other.read("api").error)
    other.succeeded("api", late)
    assert other.admit("api", limits) is None
    clock.forward(seconds=59)
    assert other.admit("api", limits) is None
    clock.forward(seconds=1)
    probe = other.admit("api", limits)
    assert probe
    assert store.admit("api", limits) is None
    assert other.failed("api", probe, limits, "still down").state is State.OPEN
    clock.forward(seconds=60)
    dead = store.admit("api", limits)
    assert dead
    clock.forward(seconds=60)
    probe = other.admit("api", limits)
    assert probe, "a probe that never came back counts as dead"
    store.failed("api", dead, limits, "too late")
    other.succeeded("api", probe)
    assert store.read("api").state is State.CLOSED
    assert store.admit("api", limits)


def test_a_success_forgets_failures_and_a_reset_closes(database: Database) -> None:
    store, limits = BreakerStore(database), Limits(threshold=2, reset_after=60)
    for _ in range(5):
        ticket = store.admit("api", limits)
        assert ticket
        store.failed("api", ticket, limits, "down")
        store.succeeded("api", ticket)
    assert store.read("api").state is State.CLOSED
    for _ in range(2):
        store.failed("api", ticket, limits, "down")
    assert store.read("api").state is State.OPEN
    assert (store.reset("api"), store.reset("nobody")) == (True, False)
    assert store.admit("api", limits)
    store.failed("api", ticket, limits, "of before the reset")
    assert [each.failures for each in store.all().values()] == [0]


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["call", "fail", "fail", "succeed", "wait"]), st.integers(0, 7)),
    max_size=60,
)


class Calls:
    """Calls that overlap, and what a breaker makes of them."""

    limits = Limits(threshold=3, reset_after=10)

    def __init__(self) -> None:
        self.breaker, self.now = Breaker(), START
        self.under_way: list[int] = []
        self.failures = 0
        self.probes: Counter[int] = Counter()

    def call(self) -> None:
        before = self.breaker
        after = before.admitted(self.limits, self.now)
        is_shut = before.state is not State.CLOSED and bool(before.left(self.limits, self.now))
        assert (after is None) == is_shut
        if after is None:
            return
        if before.state is not State.CLOSED:
            self.probes[before.generation] += 1
        self.breaker = after
        self.under_way.append(after.generation)

    def end(self, n: int, *, well: bool) -> None:
        generation, before = self.under_way.pop(n % len(self.under_way)), self.breaker
        counts = generation == before.generation and before.state is State.CLOSED
        if well:
            self.breaker = before.succeeded(generation, self.now)
            self.failures = 0 if counts else self.failures
            return
        self.breaker = before.failed(generation, self.limits, self.now, "down")
        self.failures += counts
        if counts:
            opens = self.failures == self.limits.threshold
            assert (self.breaker.state is State.OPEN) == opens
            self.failures = 0 if opens else self.failures


@given(steps=STEPS)
@settings(max_examples=200, deadline=None)
def test_no_order_of_calls_lets_more_through(steps: list[Step]) -> None:
    """Between two openings at most one call goes through, however calls overlap."""
    calls = Calls()
    for what, n in steps:
        if what == "wait":
            calls.now += timedelta(seconds=n * 2)
        elif what == "call":
            calls.call()
        elif calls.under_way:
            calls.end(n, well=what == "succeed")
    assert max(calls.probes.values(), default=0) <= 1


def work(database: Database, calls: Any) -> None:
    """Call a dead service over and over, as fast as the breaker allows; at least once."""
    until = time.monotonic() + 2
    store, limits = BreakerStore(database), Limits(threshold=THRESHOLD, reset_after=0.5)
    while time.monotonic() < until:
        ticket = store.admit("dead", limits)
        if ticket is None:
            time.sleep(0.05)
            continue
        calls.put(ticket.generation)
        time.sleep(0.02)
        store.failed("dead", ticket, limits, "down")


def test_twenty_workers_leave_a_dead_service_alone(database: Database) -> None:
    """Processes of their own; the state survives that all of them end."""
    forked = multiprocessing.get_context("fork")
    calls: Any = forked.SimpleQueue()
    database.close()
    generations: list[int] = []
    began = time.monotonic()
    for _ in range(2):  # the second time they find the breaker as the first ones left it
        workers = [forked.Process(target=work, args=(database, calls)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        while not calls.empty():
            generations.append(calls.get())
    periods = (time.monotonic() - began) / 0.5
    counted = Counter(generations)
    first = counted.pop(0)
    assert THRESHOLD <= first <= THRESHOLD + WORKERS
    assert set(counted.values()) <= {1}, "more than one call in a half-open period"
    assert len(counted) <= periods + 1
    assert BreakerStore(database).read("dead").state is not State.CLOSED
