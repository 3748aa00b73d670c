"""Sinks as a user might write them."""

from __future__ import annotations

import time


class Raising:
    limit = 10

    def __init__(self, colour: str = "") -> None:
        self.colour = colour

    def send(self, batch: object) -> None:
        raise ZeroDivisionError(f"on purpose\nin {self.colour}")


class Hanging:
    limit = 10

    def send(self, batch: object) -> None:
        time.sleep(30)


class NoSink: ...
