"""StatsD and DogStatsD over UDP."""

from __future__ import annotations

from typing import Self

from tests.fakes.statsd_server import StatsdServer
from tests.receivers.numbers import Key, Numbers, key


class StatsdReceiver:
    """A StatsD server; tags come in the names, in InfluxDB's form, timings in milliseconds."""

    unit = 0.001

    def __init__(self) -> None:
        self.server = StatsdServer()

    @property
    def address(self) -> str:
        return f"statsd://127.0.0.1:{self.server.port}?tags=influxdb"

    def key(self, name: str, tags: tuple[tuple[str, str], ...]) -> Key:
        name, *pairs = name.split(",")
        return key(name, dict(pair.split("=", 1) for pair in pairs))

    def numbers(self) -> Numbers:
        assert self.server.wrong == []
        found = Numbers()
        for name, value in dict(self.server.counters).items():
            found.counters[self.key(*name)] += round(value, 6)
        for name, value in dict(self.server.gauges).items():
            found.gauges[self.key(*name)] = value
        for name, values in dict(self.server.values).items():
            found.counts[self.key(*name)] += round(self.server.timed[name], 3)
            found.seconds[self.key(*name)] += sum(values) * self.unit
        return found

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()


class DogStatsdReceiver(StatsdReceiver):
    """A parser of DogStatsD datagrams; timings in seconds."""

    unit = 1.0

    @property
    def address(self) -> str:
        return f"dogstatsd://127.0.0.1:{self.server.port}"

    def key(self, name: str, tags: tuple[tuple[str, str], ...]) -> Key:
        return key(name, dict(tags))
