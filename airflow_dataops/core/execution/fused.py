"""Runs the parts of a fused task in the order of their dependencies, several at once."""

from __future__ import annotations

import heapq
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from airflow_dataops.errors import ConfigError, ManifestError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_dataops.core.plan import Part

S = TypeVar("S")
"""A session with the warehouse."""

_FINAL = (RunError, ConfigError, ManifestError)
"""Errors that come again when the same is tried again."""


class State(StrEnum):
    """What became of a part."""

    DONE = "done"
    FAILED = "failed"
    """It would fail again: a test found rows, the SQL does not fit."""
    BROKEN = "broken"
    """It may succeed next time: the warehouse was not there."""
    SKIPPED = "skipped"
    """What it waits for did not succeed."""


class Verdict(NamedTuple):
    """What running a part gave: results as an XCom may hold them, and why it failed, if so."""

    results: list[dict[str, Any]]
    failure: str | None = None


class Outcome(NamedTuple):
    """What became of one part."""

    state: State
    results: list[dict[str, Any]]
    message: str = ""


class Sessions(Generic[S]):
    """The sessions of one task, opened when they are first needed, in the thread that asks."""

    def __init__(
        self, open_: Callable[[], S], close: Callable[[S], None], interrupt: Callable[[S], None]
    ) -> None:
        self._open = open_
        self._close = close
        self._interrupt = interrupt
        self._idle: list[S] = []
        self._busy: list[S] = []
        self.is_stopped = False

    def take(self) -> S:
        """Return a session that nobody uses."""
        session = self._idle.pop() if self._idle else self._open()
        self._busy.append(session)
        return session

    def give_back(self, session: S, *, is_sound: bool) -> None:
        """Keep a session for others; close it where nobody knows what state it is in."""
        self._busy = [other for other in self._busy if other is not session]
        if is_sound:
            self._idle.append(session)
        else:
            self._close(session)

    def stop(self) -> None:
        """Stop what is running; nothing else starts. May be called by a signal handler."""
        self.is_stopped = True
        for session in list(self._busy):
            self._interrupt(session)

    def close(self) -> None:
        """Close all sessions."""
        for session in [*self._idle, *self._busy]:
            self._close(session)
        self._idle, self._busy = [], []


def run_parts(
    parts: Sequence[Part],
    prepare: Callable[[Part], Callable[[S], Verdict]],
    sessions: Sessions[S],
    *,
    threads: int,
    finished: Mapping[str, list[dict[str, Any]]],
    settled: Callable[[Part, Outcome], None],
) -> dict[str, Outcome]:
    """Run parts as soon as all that they wait for is done, at most `threads` at once.

    Args:
        parts: in an order in which they may run.
        prepare: called in this thread; what it returns runs in another, in a session.
        finished: results of parts that an earlier try finished, by id; they do not run.
        settled: called in this thread as soon as it is known what became of a part.
    """
    return _Run(parts, prepare, sessions, finished, settled).run(threads)


class _Run(Generic[S]):
    """What is known so far. All of it is touched by one thread alone."""

    def __init__(
        self,
        parts: Sequence[Part],
        prepare: Callable[[Part], Callable[[S], Verdict]],
        sessions: Sessions[S],
        finished: Mapping[str, list[dict[str, Any]]],
        settled: Callable[[Part, Outcome], None],
    ) -> None:
        self.parts = parts
        self.prepare = prepare
        self.sessions = sessions
        self.settled = settled
        self.outcomes = {
            part.id: Outcome(State.DONE, finished[part.id]) for part in parts if part.id in finished
        }
        self.missing: dict[str, int] = {}
        self.then: dict[str, list[int]] = {part.id: [] for part in parts}
        self.ready: list[int] = []
        """Places of parts: what is first in the plan starts first."""
        self.running: dict[Future[Verdict], tuple[Part, S]] = {}

    def run(self, threads: int) -> dict[str, Outcome]:
        for place, part in enumerate(self.parts):
            if part.id not in self.outcomes:
                self._enter(place, part)
        try:
            with ThreadPoolExecutor(threads) as pool:
                try:
                    while self._start(pool, threads):
                        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                        for future in done:
                            self._end(future)
                finally:
                    if self.running:  # a timeout, a kill: do not wait for what runs
                        self.sessions.stop()
        finally:
            self.sessions.close()
        for part in self.parts:
            if part.id not in self.outcomes:
                self._settle(part, Outcome(State.SKIPPED, [], _why(part, self.outcomes)))
        return self.outcomes

    def _enter(self, place: int, part: Part) -> None:
        waits = [other for other in part.upstream if other not in self.outcomes]
        self.missing[part.id] = len(waits)
        for other in waits:
            self.then[other].append(place)
        if not waits:
            heapq.heappush(self.ready, place)

    def _start(self, pool: ThreadPoolExecutor, threads: int) -> bool:
        """Start what can start; return whether anything runs."""
        while self.ready and len(self.running) < threads and not self.sessions.is_stopped:
            part = self.parts[heapq.heappop(self.ready)]
            work = self.prepare(part)
            session = self.sessions.take()
            self.running[pool.submit(work, session)] = part, session
        return bool(self.running)

    def _end(self, future: Future[Verdict]) -> None:
        part, session = self.running.pop(future)
        error = future.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        is_final = isinstance(error, _FINAL)
        self.sessions.give_back(session, is_sound=error is None or is_final)
        if error is not None:
            state = State.FAILED if is_final else State.BROKEN
            self._settle(part, Outcome(state, [], f"{type(error).__name__}: {error}"))
            return
        results, failure = future.result()
        if failure is not None:
            self._settle(part, Outcome(State.FAILED, results, failure))
            return
        self._settle(part, Outcome(State.DONE, results))
        for place in self.then[part.id]:
            then = self.parts[place]
            self.missing[then.id] -= 1
            if not self.missing[then.id]:
                heapq.heappush(self.ready, place)

    def _settle(self, part: Part, outcome: Outcome) -> None:
        self.outcomes[part.id] = outcome
        self.settled(part, outcome)


def _why(part: Part, outcomes: Mapping[str, Outcome]) -> str:
    """Say which of those that a part waits for did not succeed; all of them come before it."""
    failed = [
        other
        for other in part.upstream
        if other in outcomes and outcomes[other].state is not State.DONE
    ]
    return f"waits for {', '.join(failed)}" if failed else "the task was stopped"
