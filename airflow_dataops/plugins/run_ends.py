"""Runs that ended: read back from the database in the background, and counted exactly once.

The hook is called inside the scheduler's transaction. Reading there would flush its session, and
what is counted there would count again when the transaction is rolled back and tried anew. So the
hook only remembers the run; a thread with a connection of its own reads the run once its end is
committed, many runs at a time.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, deque
from datetime import UTC, datetime
from typing import Any, NamedTuple
from weakref import WeakSet

from sqlalchemy.exc import SQLAlchemyError

from airflow_dataops.adapters.metrics import current
from airflow_dataops.adapters.metrics.reporting import LOG
from airflow_dataops.core.metrics import catalogue as metrics
from airflow_dataops.core.metrics.run_end import RunEnd, Verdict, additions, judge
from airflow_dataops.plugins.run_rows import Rows, read_rows
from airflow_dataops.plugins.tags import run_tags, task_tags

_PAUSE = 2.0
_AT_ONCE = 100
_PATIENCE = 120.0
_REMEMBERED = 10_000
_EXIT_SECONDS = 2.0


class _Waiting(NamedTuple):
    seen: RunEnd
    dag: Any
    until: float


class RunEnds:
    """Counts what runs did, after their end."""

    def __init__(self) -> None:
        self._reset()
        _ALIVE.add(self)

    def _reset(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._counted: OrderedDict[tuple[str, str, Any], None] = OrderedDict()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failed = False

    def add(self, dag_run: Any, *, by_hand: bool) -> None:
        """Remember a run whose end the listener saw; reads only what is loaded already."""
        loaded = vars(dag_run)
        if loaded.get("end_date") is None:
            # Set by hand while a teardown still runs: the scheduler will end it.
            return
        seen = RunEnd(
            dag_id=loaded["dag_id"],
            run_id=loaded["run_id"],
            run_type=_plain(loaded["run_type"]),
            state=_plain(loaded["_state"]),
            queued=loaded.get("queued_at"),
            start=loaded.get("start_date"),
            end=loaded["end_date"],
            by_hand=by_hand,
            heard=datetime.now(UTC),
        )
        self._waiting.append(_Waiting(seen, loaded.get("dag"), time.monotonic() + _PATIENCE))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metrics of runs", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Count what can be counted before the process ends."""
        deadline = time.monotonic() + _EXIT_SECONDS
        while self._waiting and time.monotonic() < deadline:
            self.count()
            if self._waiting:
                time.sleep(0.05)

    def _run(self) -> None:
        while True:
            time.sleep(_PAUSE)
            self.count()

    def count(self) -> None:
        """Count the runs that are committed; keep the others for later."""
        with self._turn:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            if not batch:
                return
            try:
                rows = read_rows([waiting.seen for waiting in batch])
            except SQLAlchemyError as error:
                self._later(batch)
                self._report(error)
                return
            self._failed = False
            self._later([waiting for waiting in batch if not self._settle(waiting, rows)])

    def _later(self, batch: list[_Waiting]) -> None:
        now = time.monotonic()
        self._waiting.extend(waiting for waiting in batch if waiting.until > now)

    def _report(self, error: Exception) -> None:
        if not self._failed:
            LOG.warning(
                "Metrics of runs that ended wait for the database: %s", type(error).__name__
            )
        self._failed = True

    def _settle(self, waiting: _Waiting, rows: Rows) -> bool:
        """Count a run if it is time; return whether it is done with."""
        seen = waiting.seen
        verdict = judge(seen, rows.runs.get((seen.dag_id, seen.run_id)))
        if verdict is Verdict.WAIT:
            return False
        key = (seen.dag_id, seen.run_id, seen.end)
        if verdict is Verdict.IGNORE or key in self._counted:
            return True
        self._counted[key] = None
        if len(self._counted) > _REMEMBERED:
            self._counted.popitem(last=False)
        _emit_tasks(waiting, rows, past=verdict is Verdict.COUNT_PAST)
        _emit_run(waiting)
        return True


def _emit_tasks(waiting: _Waiting, rows: Rows, *, past: bool) -> None:
    seen, dag = waiting.seen, waiting.dag
    tasks = getattr(dag, "task_dict", {})
    tags: dict[str, tuple[tuple[str, str], ...]] = {}
    of_run = rows.tries.get((seen.dag_id, seen.run_id), ())
    for metric, task_id, value in additions(of_run, seen.begin, seen.end if past else None):
        if task_id not in tags:
            tags[task_id] = task_tags(seen.dag_id, task_id, tasks.get(task_id), dag)
        current.emit(metric.kind, metric.name, value, tags[task_id])


def _emit_run(waiting: _Waiting) -> None:
    seen = waiting.seen
    tags = run_tags(seen.dag_id, seen.run_type, waiting.dag)
    metric = metrics.RUN_SUCCESS if seen.state == "success" else metrics.RUN_FAILURE
    current.emit(metric.kind, metric.name, 1, tags)
    if seen.start is None:
        return
    seconds = (seen.end - seen.start).total_seconds()
    current.emit("timing", metrics.RUN_SECONDS.name, seconds, tags)
    if seen.queued is not None and seen.start >= seen.queued:
        waited = (seen.start - seen.queued).total_seconds()
        current.emit("timing", metrics.RUN_QUEUE_SECONDS.name, waited, tags)


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value))


_ALIVE: WeakSet[RunEnds] = WeakSet()


def _forget() -> None:
    for run_ends in _ALIVE:
        run_ends._reset()


os.register_at_fork(after_in_child=_forget)
