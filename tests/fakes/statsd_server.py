"""A StatsD server: a UDP socket that adds up what it hears, with tags in DogStatsD's form too."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter, defaultdict
from typing import Self

Tags = tuple[tuple[str, str], ...]

# name:value|type|@rate|#key:value,key:value (docs.datadoghq.com, "Datagram format").
_LINE = re.compile(
    r"(?P<name>[^:|@#\n]+):(?P<value>-?[0-9.e+\-]+)\|(?P<type>c|g|ms|h|d|s)"
    r"(?:\|@(?P<rate>[0-9.e\-]+))?(?:\|#(?P<tags>[^|\n]*))?"
)


class StatsdServer:
    """Listens on a free port of 127.0.0.1.

    Attributes:
        counters: sums by name and tags.
        values: timings, in the unit they were sent in, by name and tags.
        gauges: last values by name and tags.
        wrong: lines that are no StatsD.
        datagrams: how many came.
    """

    def __init__(self) -> None:
        self.counters: Counter[tuple[str, Tags]] = Counter()
        self.timed: defaultdict[tuple[str, Tags], float] = defaultdict(float)
        self.values: defaultdict[tuple[str, Tags], list[float]] = defaultdict(list)
        self.gauges: dict[tuple[str, Tags], float] = {}
        self.wrong: list[str] = []
        self.datagrams = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        while True:
            data = self._socket.recv(65536)
            if data == b"stop":
                return
            self.datagrams += 1
            for line in data.decode("utf-8").rstrip("\n").split("\n"):
                self._take(line)

    def _take(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            self.wrong.append(line)
            return
        pairs = (tag.partition(":") for tag in (found["tags"] or "").split(",") if tag)
        key = (found["name"], tuple(sorted((name, value) for name, _, value in pairs)))
        value, rate = float(found["value"]), float(found["rate"] or 1)
        if found["type"] == "c":
            self.counters[key] += value / rate  # type: ignore[assignment]
        elif found["type"] == "g":
            self.gauges[key] = value
        else:
            self.values[key].append(value)
            self.timed[key] += 1 / rate

    def total(self, name: str) -> float:
        """The sum of a counter over all tags."""
        return sum(value for (found, _), value in self.counters.items() if found == name)

    def wait_for(self, name: str, total: float, seconds: float = 10) -> float:
        """Wait until a counter is so high; return what it is."""
        deadline = time.monotonic() + seconds
        while self.total(name) < total and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.total(name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()
