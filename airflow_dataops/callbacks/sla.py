"""What Airflow's deadlines call: the SLAs of one run are judged as the reconciler does it."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.adapters.watch.answers import Run
from airflow_dataops.hooks.alerts import SystemClock, alert_sender, read_alerts_config
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.sla_watch import open_watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.adapters.watch.reconciler import Pass, Reconciler

LOG = logging.getLogger("airflow_dataops.sla")
_PATIENCE = 55.0
"""Seconds for all of it, with the sending."""
_SENDING = 20.0
_GATHER = 0.1
_JUST_AFTER = timedelta(milliseconds=1)


async def check_run(
    context: Mapping[str, Any] | None = None, *, conn_id: str | None = None, **_: Any
) -> str:
    """Judge the SLAs of a run that is due just now, raise its alerts and send them.

    For `AsyncCallback` of a `DeadlineAlert`: it runs in the triggerer. Runs that are due at the
    same time are asked for together. It never raises: what it cannot see now, the monitor
    will. What it returns is for the log of the triggerer.

    Args:
        context: that of a deadline: `dag_run`, and `deadline` with its `deadline_time`.
        conn_id: the connection of Airflow's REST API; see `open_watch`.
    """
    try:
        run, due = _run_of(context or {}), _due_of(context or {})
        found = await asyncio.wait_for(_gathered(conn_id).look_at(run, due), _PATIENCE)
        return f"{found.looked} runs that are due looked at: {len(found.misses)} new misses"
    except Exception as error:  # noqa: BLE001 - a callback is retried by nobody
        LOG.error("A deadline is left to the monitor: %s: %s", type(error).__name__, error)
        return f"{type(error).__name__}: {redacted(str(error))}"


class _Gathered:
    """Looks at all runs that are due within a moment with one pass."""

    def __init__(self, conn_id: str | None) -> None:
        self._conn_id = conn_id
        self._watch: Reconciler | None = None
        self._waiting: list[tuple[Run, datetime, asyncio.Future[Pass]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()

    async def look_at(self, run: Run, due: datetime) -> Pass:
        """Return what was found of all that were asked for together, once it is sent."""
        answer: asyncio.Future[Pass] = asyncio.get_running_loop().create_future()
        self._waiting.append((run, due, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        found = await answer
        if found.misses or found.solved:
            await self._send()
            # Alerts wait for others of their group; who comes later is left to the monitor.
            await asyncio.sleep(_group_wait())
            await self._send()
        return found

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER)
            taken, self._waiting = self._waiting, []
            try:
                found = await asyncio.to_thread(self._look, {r.key: r for r, _, _ in taken}, taken)
            except Exception as error:  # noqa: BLE001 - each that waits is told
                self._watch = None
                for _, _, answer in taken:
                    _settle(answer, error)
            else:
                for _, _, answer in taken:
                    _settle(answer, found)

    def _look(self, runs: dict[tuple[str, str], Run], taken: list[Any]) -> Pass:
        self._watch = self._watch or open_watch(self._conn_id)
        # By the scheduler's clock it is past due, whatever this machine's says.
        now = max(SystemClock().now(), *(due + _JUST_AFTER for _, due, _ in taken))
        return self._watch.look_at(list(runs.values()), now)

    async def _send(self) -> None:
        """Send until nothing is left; of many who ask, one does it for all."""
        async with self._sending:
            sender = await asyncio.to_thread(alert_sender)
            await asyncio.to_thread(sender.run_once, _SENDING)


def _group_wait() -> float:
    routes = read_alerts_config().routes
    waits = [
        route.group.wait_seconds for route in routes if route.group.wait_seconds < _PATIENCE / 2
    ]
    return max(waits, default=0) + _GATHER


_all: dict[tuple[int, str | None], _Gathered] = {}


def _gathered(conn_id: str | None) -> _Gathered:
    """Return that of this event loop."""
    key = (id(asyncio.get_running_loop()), conn_id)
    if key not in _all:
        _all[key] = _Gathered(conn_id)
    return _all[key]


def _settle(answer: asyncio.Future[Pass], found: Pass | Exception) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)


def _run_of(context: Mapping[str, Any]) -> Run:
    return msgspec.convert(context["dag_run"], Run, strict=False)


def _due_of(context: Mapping[str, Any]) -> datetime:
    due = context["deadline"]["deadline_time"]
    return due if isinstance(due, datetime) else datetime.fromisoformat(due)
