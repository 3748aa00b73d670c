"""Runs that somebody told of -> whoever keeps account of them, once their end is committed.

Airflow's hooks are called inside the scheduler's transaction. Reading there would flush its
session, and what is counted there would count again when the transaction is rolled back and tried
anew. So a hook only remembers the run; a thread with connections of its own reads the runs back,
many at a time. Each feed has a thread of its own: a ledger that hangs delays no metric.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from weakref import WeakSet

from airflow_dataops.core.masking import mask_error

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Hashable, Sequence

    from airflow_dataops.core.runs import RunEnd
    from airflow_dataops.hooks.run_rows import Key

_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
_AT_ONCE = 50
_PATIENCE = 120.0
_MOST = 10_000
_EXIT_SECONDS = 2.0
_LOOK_SECONDS = 600.0


class HeardRun(NamedTuple):
    """A run that a hook told of.

    Attributes:
        ended: whether it ended, or was changed after its end; otherwise it began.
        end: how it ended, where the hook saw that.
        dag: its DAG, where it is loaded.
    """

    dag_id: str
    run_id: str
    ended: bool = True
    end: RunEnd | None = None
    dag: Any = None

    @property
    def key(self) -> Key:
        """The run, as rows are read."""
        return self.dag_id, self.run_id


class RunFeed(ABC):
    """Keeps what was heard until it is settled; says once that it cannot, and when it can again.

    Nothing is lost while the database does not answer: up to 10,000 runs wait, the oldest go.
    """

    name: ClassVar[str]
    log: ClassVar[logging.Logger]
    waits: ClassVar[str]
    """What to say, with the error, when what is heard has to wait."""
    goes_on: ClassVar[str]

    def __init__(self) -> None:
        self._reset()
        _ALIVE.add(self)

    def _reset(self) -> None:
        self._waiting: OrderedDict[Hashable, tuple[HeardRun, float]] = OrderedDict()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._looks: Callable[[], bool] = lambda: False
        self._next_look = 0.0
        self._failed = 0

    @abstractmethod
    def _place(self, heard: HeardRun) -> Hashable | None:
        """Return what a newer word on the same replaces; None where it is of no concern."""

    @abstractmethod
    def _settle(self, batch: Sequence[HeardRun]) -> Collection[HeardRun]:
        """Do what is to be done about runs; return those that need not be looked at again."""

    def _look(self) -> int:
        """Look for runs that nobody told of; return how many there were."""
        return 0

    def add(self, heard: HeardRun) -> None:
        """Remember a run; it is waited for two minutes that the database has it so."""
        place = self._place(heard)
        if place is None:
            return
        self._waiting[place] = (heard, time.monotonic() + _PATIENCE)
        if len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)
        self._wake()

    def start(self, looks: Callable[[], bool]) -> None:
        """Begin to look for runs that nobody told of, in a process where `looks()` is true."""
        self._looks = looks
        self._next_look = time.monotonic() + _PAUSE
        self._wake()

    def finish(self) -> None:
        """Settle what can be settled before the process ends."""
        deadline = time.monotonic() + _EXIT_SECONDS
        while self._waiting and not self._failed:
            left = deadline - time.monotonic()
            # The thread may be waiting for a database that does not answer.
            if left <= 0 or not self._turn.acquire(timeout=left):
                return
            self._turn.release()
            self.settle()
            if self._waiting:
                time.sleep(0.05)

    def _wake(self) -> None:
        if self._thread is None:
            name = f"{self.name} of runs"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(min(_PAUSE * 2**self._failed, _LONGEST_PAUSE))
            if self._waiting:
                self.settle()
            if not self._failed and time.monotonic() >= self._next_look and self._looks():
                self._next_look = time.monotonic() + _LOOK_SECONDS
                with self._turn:
                    looked = self._safely(lambda: [self._look()])
                if looked is None:
                    self._next_look = time.monotonic() + _PAUSE

    def settle(self) -> int:
        """Settle the runs that wait, and keep the others for later; return how many were."""
        with self._turn:
            batch = dict(list(self._waiting.items())[:_AT_ONCE])
            if not batch:
                return 0
            done = self._safely(lambda: self._settle([heard for heard, _ in batch.values()]))
            if done is None:
                return 0
            now, settled = time.monotonic(), set(map(id, done))
            for place, word in batch.items():
                # A newer word is for the next time.
                if self._waiting.get(place) is not word:
                    continue
                if id(word[0]) in settled or word[1] < now:
                    del self._waiting[place]
                else:
                    self._waiting.move_to_end(place)
            return len(done)

    def _safely(self, work: Callable[[], Collection[Any]]) -> Collection[Any] | None:
        """Do something that a database may refuse; return None where it did."""
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - drivers have trees of their own
            if not self._failed:
                self.log.warning("%s: %s", self.waits, mask_error(error).splitlines()[0])
            self._failed = min(self._failed + 1, 10)
            return None
        if self._failed:
            self.log.info(self.goes_on)
        self._failed = 0
        return found


_ALIVE: WeakSet[RunFeed] = WeakSet()


def _forget() -> None:
    for feed in _ALIVE:
        feed._reset()


os.register_at_fork(after_in_child=_forget)
