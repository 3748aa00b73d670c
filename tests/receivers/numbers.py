"""What a receiver has, in one form for all of them: names in Prometheus's, tags as pairs."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol, Self

Tags = tuple[tuple[str, str], ...]
Key = tuple[str, Tags]


@dataclass
class Numbers:
    """Sums of counters, last values of gauges, counts and sums (seconds) of timings."""

    counters: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    gauges: dict[Key, float] = field(default_factory=dict)
    counts: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    seconds: dict[Key, float] = field(default_factory=lambda: defaultdict(float))

    def total(self, name: str, **tags: str) -> float:
        """The sum of a counter over all series that have these tags."""
        wanted = set(tags.items())
        return sum(
            value
            for (found, pairs), value in self.counters.items()
            if found == plain(name) and wanted <= set(pairs)
        )


class Receiver(Protocol):
    """Receives until the end of its `with` block."""

    @property
    def address(self) -> str:
        """The sink's address."""

    def numbers(self) -> Numbers:
        """What has come so far."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def key(name: str, tags: dict[str, str]) -> Key:
    """The key of a series; empty tags are none."""
    return plain(name), tuple(sorted((plain(k), v) for k, v in tags.items() if v != ""))


def plain(name: str) -> str:
    """A name as Prometheus would have it."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)
