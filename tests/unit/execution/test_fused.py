"""The parts of a fused task: order, how many at once, sessions, stopping."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.execution.fused import (
    Outcome,
    Sessions,
    State,
    Verdict,
    run_parts,
)
from airflow_dataops.core.plan import Part, TaskKind
from airflow_dataops.errors import RunError
from tests.pace import at_most

if TYPE_CHECKING:
    from collections.abc import Callable


class Session:
    """A session that remembers what became of it."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.is_closed = False


class Warehouse:
    """Opens sessions and counts them."""

    def __init__(self) -> None:
        self.opened: list[Session] = []

    def sessions(self) -> Sessions[Session]:
        return Sessions(self.open, self.close, lambda session: session.stopped.set())

    def open(self) -> Session:
        self.opened.append(Session())
        return self.opened[-1]

    def close(self, session: Session) -> None:
        assert not session.is_closed
        session.is_closed = True


def part(id_: str, *upstream: str) -> Part:
    return Part(id=id_, kind=TaskKind.BUILD, nodes=(f"model.shop.{id_}",), upstream=upstream)


def run(
    parts: list[Part],
    work: Callable[[str, Session], Verdict],
    *,
    warehouse: Warehouse | None = None,
    threads: int = 1,
    finished: dict[str, list[dict[str, Any]]] | None = None,
    settled: Callable[[Part, Outcome], None] = lambda part, outcome: None,
) -> dict[str, Outcome]:
    warehouse = warehouse or Warehouse()
    outcomes = run_parts(
        parts,
        lambda part: lambda session: work(part.id, session),
        warehouse.sessions(),
        threads=threads,
        finished=finished or {},
        settled=settled,
    )
    assert all(session.is_closed for session in warehouse.opened)
    return outcomes


def test_every_part_runs_after_what_it_waits_for_and_at_most_so_many_at_once() -> None:
    """Sixty random parts on four threads."""
    chance = random.Random(7)
    ids = [f"p{number}" for number in range(60)]
    parts = [
        part(id_, *chance.sample(ids[:place], min(place, chance.randint(0, 3))))
        for place, id_ in enumerate(ids)
    ]
    begun: list[str] = []
    ended: list[str] = []
    upstream = {part.id: part.upstream for part in parts}
    most = 0

    def work(id_: str, session: Session) -> Verdict:
        nonlocal most
        assert set(upstream[id_]) <= set(ended)
        begun.append(id_)
        most = max(most, len(begun) - len(ended))
        time.sleep(0.002)
        ended.append(id_)
        return Verdict([{"node": id_}])

    warehouse = Warehouse()
    outcomes = run(parts, work, warehouse=warehouse, threads=4)
    assert {outcome.state for outcome in outcomes.values()} == {State.DONE}
    assert 1 < most <= 4
    assert len(warehouse.opened) <= 4


def test_a_failure_stops_what_is_below_and_says_why() -> None:
    def work(id_: str, session: Session) -> Verdict:
        return Verdict([], "2 rows are wrong") if id_ == "a" else Verdict([])

    outcomes = run([part("a"), part("b", "a"), part("c", "b"), part("d")], work)
    assert {id_: outcome.state for id_, outcome in outcomes.items()} == {
        "a": State.FAILED,
        "b": State.SKIPPED,
        "c": State.SKIPPED,
        "d": State.DONE,
    }
    assert outcomes["b"].message == "waits for a"
    assert outcomes["c"].message == "waits for b"


def test_errors_are_told_apart_and_a_session_in_doubt_is_not_used_again() -> None:
    def work(id_: str, session: Session) -> Verdict:
        if id_ == "lost":
            raise ConnectionError("gone")
        if id_ == "wrong":
            raise RunError("no such key")
        return Verdict([])

    warehouse = Warehouse()
    outcomes = run([part("lost"), part("wrong"), part("fine")], work, warehouse=warehouse)
    assert outcomes["lost"] == Outcome(State.BROKEN, [], "ConnectionError: gone")
    assert outcomes["wrong"] == Outcome(State.FAILED, [], "RunError: no such key")
    assert outcomes["fine"].state is State.DONE
    assert len(warehouse.opened) == 2


def test_what_is_finished_does_not_run_again() -> None:
    ran: list[str] = []

    def work(id_: str, session: Session) -> Verdict:
        ran.append(id_)
        return Verdict([])

    warehouse = Warehouse()
    finished = {"a": [{"node": "a"}]}
    outcomes = run([part("a"), part("b", "a")], work, finished=finished, warehouse=warehouse)
    assert ran == ["b"]
    assert outcomes["a"] == Outcome(State.DONE, [{"node": "a"}])
    everything = {"a": [], "b": []}
    idle = Warehouse()
    run([part("a"), part("b", "a")], work, finished=everything, warehouse=idle)
    assert idle.opened == []


def test_an_interruption_stops_what_runs_and_does_not_wait_for_it() -> None:
    """As Airflow's execution_timeout, which raises in the thread that waits."""
    begun = threading.Event()

    def work(id_: str, session: Session) -> Verdict:
        begun.set()
        assert session.stopped.wait(30)
        raise ConnectionAbortedError("interrupted")

    def settled(part: Part, outcome: Outcome) -> None:
        if part.id == "quick":
            assert begun.wait(30)
            raise TimeoutError("execution_timeout")

    def either(id_: str, session: Session) -> Verdict:
        return Verdict([]) if id_ == "quick" else work(id_, session)

    started = time.monotonic()
    with pytest.raises(TimeoutError, match="execution_timeout"):
        run([part("long"), part("quick")], either, threads=2, settled=settled)
    assert time.monotonic() - started < at_most(10)


def test_a_stopped_run_starts_nothing_more() -> None:
    warehouse = Warehouse()
    sessions = warehouse.sessions()

    def work(session: Session) -> Verdict:
        sessions.stop()
        assert session.stopped.is_set()
        return Verdict([])

    outcomes = run_parts(
        [part("a"), part("b")],
        lambda part: work,
        sessions,
        threads=1,
        finished={},
        settled=lambda part, outcome: None,
    )
    assert outcomes["b"] == Outcome(State.SKIPPED, [], "the task was stopped")
