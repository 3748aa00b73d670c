"""Run tests at another time: `pytest --clock 2027-12-31T23:59:30Z tests/unit tests/host`.

Each test begins at that moment, and time goes on from there; modules were imported now. So a test
fails that takes import for the present, or only holds on some days. The clocks of databases and of
other processes stay: a test that compares with those is marked `foreign_clock` and skipped.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clock", type=datetime.fromisoformat, help="when each test begins (ISO)")


class Clock:
    """Sets the clock of this process for each test."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        import time_machine

        with time_machine.travel(self._begin):
            return (yield)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.get_closest_marker("foreign_clock"):
            pytest.skip("compares with the clock of a database or of another process")


def pytest_configure(config: pytest.Config) -> None:
    if begin := config.option.clock:
        config.pluginmanager.register(Clock(begin))
