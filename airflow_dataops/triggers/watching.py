"""Triggers of sensors: they wait in the triggerer, and end their task there."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import (
    BaseTrigger,
    TaskSkippedEvent,
    TaskSuccessEvent,
    TriggerEvent,
)
from msgspec.structs import replace

from airflow_dataops.core.health.steady import Steady
from airflow_dataops.core.health.watches import Seen, errored, read_watch
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.watching import looker
from airflow_dataops.triggers.lookout import lookout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from airflow_dataops.core.health.watches import Sight

log = logging.getLogger(__name__)

LATE = "late"
MOST_ERRORS = 10
"""Looks in a row that may be in vain before the task is tried anew."""


class WatchTrigger(BaseTrigger):
    """Waits until a watch is met.

    Ends the task as successful, or as skipped where it may fail softly. Where a worker has to go
    on (errors, outlets), fires `{"seen": ..., "message": ...}`; `seen` is `late` where the time
    is over.

    Args:
        conn_id: the Airflow connection of the warehouse or the storage.
        watch: as `msgspec.to_builtins` writes it.
        interval: seconds between two looks.
        steady_for: seconds for which what is seen has to stay the same.
        timeout: seconds after which it is late.
        fails: whether it fails where what is watched is not there; otherwise it waits.
        soft_fail: whether a late task is skipped.
        resumes: whether a worker goes on with a task that succeeded.
        returns: whether the message is the task's XCom.
    """

    def __init__(
        self,
        conn_id: str | None,
        watch: dict[str, Any],
        interval: float,
        timeout: float,
        steady_for: float = 0.0,
        fails: bool = False,
        soft_fail: bool = False,
        resumes: bool = False,
        returns: bool = True,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.watch = watch
        self.interval = interval
        self.timeout = timeout
        self.steady_for = steady_for
        self.fails = fails
        self.soft_fail = soft_fail
        self.resumes = resumes
        self.returns = returns

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs."""
        names = ("conn_id", "watch", "interval", "timeout", "steady_for", "fails", "soft_fail")
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {name: getattr(self, name) for name in (*names, "resumes", "returns")},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look together with all who watch the same place, until it is met or late."""
        seen, message = await self._wait()
        log.info("%s: %s", seen, message)
        if seen == Seen.MET and not self.resumes:
            yield TaskSuccessEvent(xcoms={"return_value": message} if self.returns else None)
        elif seen == LATE and self.soft_fail:
            yield TaskSkippedEvent()
        else:
            yield TriggerEvent({"seen": str(seen), "message": message})

    async def _wait(self) -> tuple[str, str]:
        last, late = "", asyncio.get_running_loop().time() + self.timeout
        try:
            async with asyncio.timeout(None) as patience, aclosing(self._sights()) as sights:
                async for sight in sights:
                    # As every sensor, it looks once at least.
                    patience.reschedule(late)
                    if last != sight.message:
                        log.info("%s", sight.message)
                    last = sight.message
                    if sight.seen is not Seen.WAITING:
                        return sight.seen, last
        except TimeoutError:
            pass
        return LATE, last

    async def _sights(self) -> AsyncGenerator[Sight, None]:
        """Yield sights; those that may pass are waited for."""
        errors, steady = 0, Steady()
        steady_for = timedelta(seconds=self.steady_for)
        try:
            watch = read_watch(self.watch)
        except ConfigError as error:
            yield errored(error)
            return
        key, look = looker(self.conn_id, watch)
        async with aclosing(lookout(key, look).sights(watch, self.interval)) as sights:
            async for found in sights:
                now = datetime.now(UTC)
                steady = steady.after(found, now)
                sight = steady.judged(found, steady_for, now)
                sight = replace(sight, message=redacted(sight.message))
                errors = errors + 1 if sight.seen is Seen.ERRORED else 0
                passes = sight.seen is Seen.MISSING and not self.fails
                if passes or 0 < errors < MOST_ERRORS:
                    sight = replace(sight, seen=Seen.WAITING)
                yield sight
