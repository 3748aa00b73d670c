"""A ledger, an alert service and any number of senders, with a faked clock and receivers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.ledger.tables import outbox
from airflow_dataops.adapters.outbox.sender import Sender
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.core.alerts.alert import Alert
from airflow_dataops.core.alerts.config import parse_config
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import FakeReceivers

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPS = "slack:ops"
PAGER = "pagerduty:duty"


class House:
    """Attributes: `config`, `service`, `receivers` and `clock` may be replaced by a test."""

    def __init__(self, url: str) -> None:
        self.store = LedgerStore(url)
        self.clock = FakeClock(NOW)
        self.receivers = FakeReceivers()
        self.configure({"receivers": [OPS], "group": {"by": "none", "wait_seconds": 0}})

    def configure(self, *routes: dict[str, Any], **rest: Any) -> None:
        self.config = parse_config({"routes": list(routes), **rest})
        self.service = AlertService(self.store.database, self.config, self.clock)

    def sender(self, **more: Any) -> Sender:
        return Sender(self.store.database, self.config, self.receivers.open, self.clock, **more)

    def send(self, **later: float) -> int:
        self.clock.forward(**later)
        return self.sender().run_once()

    def states(self) -> list[str]:
        with self.store.database.read() as connection:
            return list(connection.execute(select(outbox.c.state)).scalars())

    def titles(self, receiver: str = OPS) -> list[str]:
        return [message.title for message in self.receivers.got(receiver)]


def alert(key: str = "a", **fields: Any) -> Alert:
    return Alert(**{"key": key, "title": f"{key} is late", "at": NOW, **fields})
