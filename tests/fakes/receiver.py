"""A receiver that keeps what it takes, and refuses when told to."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message


class FakeReceivers:
    """All receivers of a test: `open` makes one, `refuse` maps an address to what it raises."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.refuse: dict[str, Exception] = {}
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def open(self, address: str) -> FakeReceiver:
        return FakeReceiver(self, address)

    def got(self, address: str) -> list[Message]:
        return [message for to, message in self.messages if to == address]

    def take(self, address: str, message: Message) -> None:
        with self._lock:
            self.asked[address] += 1
            if address in self.refuse:
                raise self.refuse[address]
            self.messages.append((address, message))


class FakeReceiver:
    def __init__(self, all_: FakeReceivers, address: str) -> None:
        self._all = all_
        self._address = address

    def send(self, message: Message) -> None:
        self._all.take(self._address, message)
