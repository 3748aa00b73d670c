"""Runs -> the ledger, with their tasks, checks and volumes.

What the feed misses (the scheduler was down, or the ledger for long) it finds by the runs' end
times: a mark in the ledger tells how far that has come. Writing a run twice changes nothing.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.masking import mask_error
from airflow_dataops.core.runs import FINAL
from airflow_dataops.hooks.run_feed import HeardRun, RunFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.ledger.events import Event, Via
    from airflow_dataops.core.runs import RunRows
    from airflow_dataops.hooks.run_rows import Key

LOG = logging.getLogger("airflow_dataops.ledger")
MARK = "feed"
"""All runs that ended before this mark are in the ledger."""
FIRST = timedelta(days=1)
"""So far back a new ledger is filled."""
_AT_ONCE = 50
_MOST = 10_000
_OVERLAP = timedelta(minutes=5)


class LedgerFeed(RunFeed):
    """Writes runs and their tasks; also keeps the ledger small, once a day.

    Args:
        open_ledger: raises where there is none; it is tried again later.
        upkeep: called with the ledger after each look for missed runs.
        written: called with the events of a run that ended, once they are written.
    """

    name = "ledger"
    log = LOG
    waits = "The ledger is not written for now, runs go on without it"
    goes_on = "The ledger is written again"

    def __init__(
        self,
        open_ledger: Callable[[], LedgerStore],
        upkeep: Callable[[LedgerStore], object] = lambda ledger: None,
        written: Callable[[LedgerStore, Sequence[Event]], object] = lambda ledger, events: None,
    ) -> None:
        super().__init__()
        self._open = open_ledger
        self._upkeep = upkeep
        self._on_written = written
        self._written: OrderedDict[Key, Any] = OrderedDict()

    def catch_up(self, since: datetime | None = None) -> int:
        """Write the runs that ended since the mark, or another time; return how many.

        Return 0 where the ledger or Airflow's database do not answer, which is logged.
        """
        with self._turn:
            return sum(self._safely(lambda: [self._catch_up(since)]) or ())

    def _look(self) -> int:
        return self._catch_up(None)

    def _place(self, heard: HeardRun) -> Key:
        return heard.key

    def _settle(self, batch: Sequence[HeardRun]) -> list[HeardRun]:
        from airflow_dataops.core.ledger.ended import run_event
        from airflow_dataops.core.ledger.events import Via
        from airflow_dataops.hooks.run_rows import read_runs

        ledger, at = self._open(), datetime.now(UTC)
        found = read_runs(heard.key for heard in batch)
        done, begun = [], []
        for heard in batch:
            if (rows := found.get(heard.key)) is None:
                continue
            rows = rows._replace(about=rows.about._replace(owners=_owners(heard.dag)))
            if rows.run.state in FINAL and rows.run.end_date is not None:
                self._put(ledger, rows, at, Via.LISTENER)
                done.append(heard)
            elif not heard.ended:
                begun.append(run_event(rows.run, rows.about, at, Via.LISTENER))
                done.append(heard)
        ledger.write(begun)
        return done

    def _catch_up(self, since: datetime | None) -> int:
        from airflow_dataops.core.ledger.events import Via
        from airflow_dataops.hooks.run_rows import ended_since, read_runs

        ledger, count = self._open(), 0
        begin = since or (ledger.mark(MARK) or datetime.now(UTC) - FIRST) - _OVERLAP
        while True:
            started = datetime.now(UTC)
            found = ended_since(begin, 20 * _AT_ONCE)
            missed = [(d, r) for d, r, end in found if self._written.get((d, r)) != end]
            for start in range(0, len(missed), _AT_ONCE):
                for each in read_runs(missed[start : start + _AT_ONCE]).values():
                    self._put(ledger, each, datetime.now(UTC), Via.RECONCILER)
                    count += 1
            is_last = len(found) < 20 * _AT_ONCE or found[-1][2] == begin
            begin = started if is_last else found[-1][2]
            if since is None:
                ledger.move(MARK, begin)
            if is_last:
                self._upkeep(ledger)
                return count

    def _put(self, ledger: LedgerStore, rows: RunRows, at: datetime, via: Via) -> None:
        from airflow_dataops.core.ledger.ended import events_of

        events = events_of(rows, at, via)
        ledger.write(events)
        run = rows.run
        try:
            self._on_written(ledger, events)
        except Exception as error:  # noqa: BLE001 - the ledger is kept all the same
            LOG.warning(
                "Alerts of failures in run %s of %s are not solved: %s",
                run.run_id,
                run.dag_id,
                mask_error(error),
            )
        self._written[run.dag_id, run.run_id] = run.end_date
        if len(self._written) > _MOST:
            self._written.popitem(last=False)


def _owners(dag: Any) -> dict[str, str]:
    """Return the owners of a run's tasks, from what is loaded already."""
    tasks = getattr(dag, "task_dict", {})
    return {id_: owner for id_, task in tasks.items() if (owner := getattr(task, "owner", None))}
