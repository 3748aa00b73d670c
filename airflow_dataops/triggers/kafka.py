"""Tells Airflow that a topic has messages which are not loaded yet: for an `AssetWatcher`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_dataops.core.arguments import seconds, text
from airflow_dataops.core.masking import mask_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_dataops.core.arguments import Duration

log = logging.getLogger(__name__)

_PATIENCE = 30.0
"""Seconds to wait for brokers."""
_LONGEST_PAUSE = 300.0


class KafkaArrivalTrigger(BaseEventTrigger):
    """Fires when a topic has messages, once for all that came since it last fired.

    It asks where the partitions end and reads no message, so a thousand messages are one event
    and nobody is told that they were read. It begins where the connection's group is, of which
    loads tell Kafka; so after a restart of the triggerer what is not loaded yet is told again.

    Args:
        conn_id: as of `KafkaTopic`.
        topic: the topic.
        poll_interval: seconds, or a timedelta, between two questions, and so between two events
            at least.
    """

    def __init__(self, conn_id: str, topic: str, poll_interval: Duration = 10.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = text(conn_id, "conn_id")
        self.topic = text(topic, "topic")
        self.poll_interval = seconds(poll_interval, "poll_interval", is_positive=True)
        self._opened = ExitStack()
        self._consumer: Any = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs."""
        names = ("conn_id", "topic", "poll_interval")
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {name: getattr(self, name) for name in names},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire with `{"topic", "ends"}`: where each partition that has news ends now."""
        known: dict[int, int] | None = None
        failures = 0
        while True:
            try:
                loaded, ends = await asyncio.to_thread(self._look, known is None)
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, it goes on
                failures += 1
                log.warning("%s: the topic cannot be asked: %s", self.topic, mask_error(error, 500))
                await asyncio.to_thread(self._close)
                await asyncio.sleep(min(self.poll_interval * 2**failures, _LONGEST_PAUSE))
                continue
            known = loaded if known is None else known
            news = {str(n): end for n, end in ends.items() if end > known.get(n, 0)}
            # One that ends before is another topic of that name: it is known from its beginning.
            known = ends
            if news:
                yield TriggerEvent({"topic": self.topic, "ends": news})
            await asyncio.sleep(self.poll_interval)

    async def cleanup(self) -> None:
        """Close the consumer."""
        await asyncio.to_thread(self._close)

    def _look(self, is_first: bool) -> tuple[dict[int, int], dict[int, int]]:
        from airflow_dataops.hooks import kafka_reading

        if self._consumer is None:
            self._consumer = self._opened.enter_context(kafka_reading.open_consumer(self.conn_id))
        loaded: dict[int, int] = {}
        if is_first:
            begins = kafka_reading.plan(self._consumer, self.topic, {}, "committed", _PATIENCE)
            loaded = {number: part.start for number, part in begins.items()}
        ends = kafka_reading.plan(self._consumer, self.topic, {}, "latest", _PATIENCE)
        return loaded, {number: part.end for number, part in ends.items()}

    def _close(self) -> None:
        self._consumer = None
        self._opened.close()
