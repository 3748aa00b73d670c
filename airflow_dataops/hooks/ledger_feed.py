"""Runs -> the ledger: read back from Airflow's database in the background, many at a time.

The hooks are called inside the scheduler's transaction, so they only remember a run; a thread
with connections of its own reads it once its end is committed. What it misses (the scheduler
was down, or the ledger for long) it finds by the runs' end times: a mark in the ledger tells how
far that has come. Writing a run twice changes nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from airflow_dataops.core.masking import mask_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.ledger.events import Event

    Key = tuple[str, str]

LOG = logging.getLogger("airflow_dataops.ledger")
MARK = "feed"
"""All runs that ended before this mark are in the ledger."""
FIRST = timedelta(days=1)
"""So far back a new ledger is filled."""
_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
_AT_ONCE = 50
_PATIENCE = 120.0
_MOST = 10_000
_EXIT_SECONDS = 2.0
_LOOK_SECONDS = 600.0
_OVERLAP = timedelta(minutes=5)


class _Heard(NamedTuple):
    """A run that a hook told of; its commit is waited for `until` then."""

    until: float
    owners: Mapping[str, str]
    ended: bool


class LedgerFeed:
    """Writes runs and their tasks; also keeps the ledger small, once a day.

    Args:
        open_ledger: raises where there is none; it is tried again later.
        upkeep: called with the ledger after each look for missed runs.
        told: called with the events of a run that ended, once they are written.
    """

    def __init__(
        self,
        open_ledger: Callable[[], LedgerStore],
        upkeep: Callable[[LedgerStore], object] = lambda ledger: None,
        told: Callable[[LedgerStore, Sequence[Event]], object] = lambda ledger, events: None,
    ) -> None:
        self._open = open_ledger
        self._upkeep = upkeep
        self._told = told
        self._reset()
        _ALIVE.add(self)

    def _reset(self) -> None:
        self._waiting: OrderedDict[Key, _Heard] = OrderedDict()
        self._written: OrderedDict[Key, Any] = OrderedDict()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._looks: Callable[[], bool] = lambda: False
        self._next_look = 0.0
        self._failed = 0

    def add(
        self, dag_id: str, run_id: str, owners: Mapping[str, str], *, ended: bool = True
    ) -> None:
        """Remember a run that `ended` (or was changed later), or began."""
        self._waiting[dag_id, run_id] = _Heard(time.monotonic() + _PATIENCE, owners, ended)
        if len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)
        self._wake()

    def start(self, looks: Callable[[], bool]) -> None:
        """Begin to look for runs that nobody told of, in a process where `looks()` is true."""
        self._looks = looks
        self._next_look = time.monotonic() + _PAUSE
        self._wake()

    def finish(self) -> None:
        """Write what can be written before the process ends."""
        deadline = time.monotonic() + _EXIT_SECONDS
        while self._waiting and not self._failed:
            left = deadline - time.monotonic()
            # The thread may be waiting for a database that does not answer.
            if left <= 0 or not self._turn.acquire(timeout=left):
                return
            self._turn.release()
            self.write()
            if self._waiting:
                time.sleep(0.05)

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(min(_PAUSE * 2**self._failed, _LONGEST_PAUSE))
            if self._waiting:
                self.write()
            if not self._failed and time.monotonic() >= self._next_look and self._looks():
                self.catch_up()

    def write(self) -> int:
        """Write the runs that are waiting; keep those that have not ended for later.

        Return how many were written with their tasks.
        """
        with self._turn:
            batch = dict(list(self._waiting.items())[:_AT_ONCE])
            return self._safely(lambda: self._write(batch)) or 0

    def catch_up(self, since: datetime | None = None) -> int:
        """Write the runs that ended since the mark, or another time; return how many."""
        with self._turn:
            self._next_look = time.monotonic() + _LOOK_SECONDS
            found = self._safely(lambda: self._catch_up(since))
            self._next_look = time.monotonic() + (_LOOK_SECONDS if found is not None else _PAUSE)
            return found or 0

    def _write(self, batch: Mapping[Key, _Heard]) -> int:
        from airflow_dataops.core.ledger.ended import FINAL, run_event
        from airflow_dataops.core.ledger.events import Via

        ledger, at = self._open(), datetime.now(UTC)
        ended, begun = set[Any](), {}
        for each in _read(batch):
            key = (each.run.dag_id, each.run.run_id)
            about = each.about._replace(owners=batch[key].owners)
            if each.run.state in FINAL and each.run.end_date is not None:
                self._put(ledger, each._replace(about=about), at, Via.LISTENER)
                ended.add(key)
            elif not batch[key].ended:
                begun[key] = run_event(each.run, about, at, Via.LISTENER)
        ledger.write(begun.values())
        self._settle(batch, ended | begun.keys())
        return len(ended)

    def _settle(self, batch: Mapping[Key, _Heard], done: set[Key]) -> None:
        """Drop what is written or waited for in vain; a newer word is for the next time."""
        now = time.monotonic()
        for key, heard in batch.items():
            if self._waiting.get(key) is not heard:
                continue
            if key in done or heard.until < now:
                del self._waiting[key]
            else:
                self._waiting.move_to_end(key)

    def _catch_up(self, since: datetime | None) -> int:
        from airflow_dataops.core.ledger.events import Via
        from airflow_dataops.hooks.ledger_rows import ended_since

        ledger, count = self._open(), 0
        begin = since or (ledger.mark(MARK) or datetime.now(UTC) - FIRST) - _OVERLAP
        while True:
            started = datetime.now(UTC)
            found = ended_since(begin, 20 * _AT_ONCE)
            missed = [(d, r) for d, r, end in found if self._written.get((d, r)) != end]
            for start in range(0, len(missed), _AT_ONCE):
                for each in _read(missed[start : start + _AT_ONCE]):
                    self._put(ledger, each, datetime.now(UTC), Via.RECONCILER)
                    count += 1
            is_last = len(found) < 20 * _AT_ONCE or found[-1][2] == begin
            begin = started if is_last else found[-1][2]
            if since is None:
                ledger.move(MARK, begin)
            if is_last:
                self._upkeep(ledger)
                return count

    def _put(self, ledger: LedgerStore, each: Any, at: datetime, via: Any) -> None:
        from airflow_dataops.core.ledger.ended import events_of

        events = list(events_of(each.run, each.tries, each.told, each.about, at, via))
        ledger.write(events)
        try:
            self._told(ledger, events)
        except Exception as error:  # noqa: BLE001 - the ledger is kept all the same
            LOG.warning(
                "Alerts of failures in run %s of %s are not solved: %s: %s",
                each.run.run_id,
                each.run.dag_id,
                type(error).__name__,
                error,
            )
        self._remember((each.run.dag_id, each.run.run_id), each.run.end_date)

    def _remember(self, key: Key, ended: datetime | None) -> None:
        self._written[key] = ended
        if len(self._written) > _MOST:
            self._written.popitem(last=False)

    def _safely(self, work: Callable[[], int]) -> int | None:
        """Do something that a database may refuse; say so once, and when it works again."""
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - drivers have trees of their own
            if not self._failed:
                LOG.warning(
                    "The ledger is not written for now, runs go on without it: %s",
                    mask_error(error).splitlines()[0],
                )
            self._failed = min(self._failed + 1, 10)
            return None
        if self._failed:
            LOG.info("The ledger is written again")
        self._failed = 0
        return found


def _read(keys: Iterable[Key]) -> list[Any]:
    from airflow_dataops.hooks.ledger_rows import read_runs

    return list(read_runs(keys))


_ALIVE: WeakSet[LedgerFeed] = WeakSet()


def _forget() -> None:
    for feed in _ALIVE:
        feed._reset()


os.register_at_fork(after_in_child=_forget)
