"""Waits in the triggerer until a warehouse has ended a load's publication."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_dataops.core.loads.detached import Detached, abandon
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.sql_runner import open_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Literal

    from airflow_dataops.core.ports import JobRunner

    Outcome = Literal["ended", "late", "lost"]

log = logging.getLogger(__name__)

_MOST_FAILURES = 20
_LONGEST_PAUSE = 60.0


class PublicationTrigger(BaseTrigger):
    """Fires with `{"status": ...}` once a publication has ended, is late, or cannot be asked for.

    A triggerer that takes it over goes on asking. When somebody marks the waiting task as
    failed or successful, or clears it, the publication is stopped and its tables are swept.

    Args:
        conn_id: the warehouse.
        detached: the publication, as `msgspec.to_builtins` writes a `Detached`; its script may
            be left out.
        deadline: ISO 8601; None to wait for as long as it takes.
        poll_interval: seconds between two looks.
    """

    def __init__(
        self,
        conn_id: str,
        detached: dict[str, Any],
        deadline: str | None = None,
        poll_interval: float = 5.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.detached = detached
        self.deadline = deadline
        self.poll_interval = poll_interval
        self._opened = ExitStack()
        self._session: JobRunner | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "conn_id": self.conn_id,
                "detached": self.detached,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask again and again; one session serves all questions."""
        outcome, error = await self._wait()
        yield TriggerEvent({"status": outcome, "error": error})

    async def cleanup(self) -> None:
        """End the session; the publication goes on, for another triggerer may wait for it."""
        await asyncio.to_thread(self._close)

    async def on_kill(self) -> None:
        """Stop the publication: the task was marked or cleared by a user."""
        await asyncio.to_thread(self._abandon)

    async def _wait(self) -> tuple[Outcome, str]:
        log.info("Waiting for query %s to end", self.detached["job"])
        failures = 0
        while True:
            if self.deadline and datetime.now(UTC) >= datetime.fromisoformat(self.deadline):
                return "late", ""
            try:
                if await asyncio.to_thread(self._ended):
                    return "ended", ""
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, it goes on
                failures += 1
                told = redacted(f"{type(error).__name__}: {error}")
                log.warning("%s cannot be asked for its publication: %s", self.conn_id, told)
                await asyncio.to_thread(self._close)
                if failures >= _MOST_FAILURES:
                    return "lost", told
            await asyncio.sleep(min(self.poll_interval * 2**failures, _LONGEST_PAUSE))

    def _ended(self) -> bool:
        if self._session is None:
            self._session = self._open()
        return self._session.ended(self.detached["job"])

    def _open(self) -> JobRunner:
        return cast("JobRunner", self._opened.enter_context(open_session(self.conn_id)))

    def _close(self) -> None:
        self._session = None
        self._opened.close()

    def _abandon(self) -> None:
        with open_session(self.conn_id) as session:
            abandon(msgspec.convert(self.detached, Detached), cast("JobRunner", session))
        log.info("Stopped the publication of %s", self.detached["target"])
