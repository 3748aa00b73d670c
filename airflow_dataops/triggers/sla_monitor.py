"""The loop that watches SLAs and sends alerts, in the triggerer."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_dataops.adapters.watch.loop import POLL_SECONDS, WatchLoop
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.alerts import alert_sender
from airflow_dataops.hooks.ledger_upkeep import prune_daily
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.sla_watch import open_watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOG = logging.getLogger("airflow_dataops.sla")
_SENDER_SECONDS = 1.0
_AFTER_ERROR = 10.0


class SlaMonitorTrigger(BaseTrigger):
    """Watches until a time, then fires; a triggerer that takes it over goes on from the ledger.

    Args:
        until: ISO 8601.
        conn_id: see `open_watch`.
        poll_seconds: between two looks at Airflow.
    """

    def __init__(
        self, until: str, conn_id: str | None = None, poll_seconds: float = POLL_SECONDS
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.until = until
        self.conn_id = conn_id
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"until": self.until, "conn_id": self.conn_id, "poll_seconds": self.poll_seconds},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch and send. Fires with `{"misses": n}`, or `{"error": text}` when it cannot go on."""
        beside = [asyncio.create_task(_send()), asyncio.create_task(_tidy())]
        try:
            yield TriggerEvent({"misses": await self._watch()})
        except ConfigError as error:
            yield TriggerEvent({"error": redacted(str(error))})
        except Exception as error:  # the task has to hear of it: a trigger's error tells it nothing
            LOG.exception("The watch over SLAs ends")
            yield TriggerEvent({"error": f"{type(error).__name__}: {redacted(str(error))}"})
        finally:
            for task in beside:
                task.cancel()

    async def _watch(self) -> int:
        until = datetime.fromisoformat(self.until)
        loop = WatchLoop(partial(open_watch, self.conn_id), _now, self.poll_seconds)
        misses = 0
        while (left := until - _now()) > timedelta():
            step = await asyncio.to_thread(loop.step)
            misses += len(step.found.misses) if step.found else 0
            await asyncio.sleep(min(step.wait, left.total_seconds()))
        return misses


async def _send() -> None:
    """Send what is in the outbox, for ever."""
    stop = Event()
    try:
        while True:
            try:
                sender = await asyncio.to_thread(alert_sender)
            except Exception:  # what is in the outbox waits for the next turn
                LOG.exception("Alerts are not sent just now")
                await asyncio.sleep(_AFTER_ERROR)
            else:
                thread = Thread(target=sender.run, args=(stop, _SENDER_SECONDS), daemon=True)
                thread.start()
                while thread.is_alive():
                    await asyncio.sleep(_SENDER_SECONDS)
    finally:
        stop.set()


async def _tidy() -> None:
    """Prune the ledger, if nobody has within a day."""
    try:
        await asyncio.to_thread(prune_daily)
    except Exception:  # the watch is worth more than a tidy ledger
        LOG.exception("The ledger is not pruned")


def _now() -> datetime:
    return datetime.now(UTC)
