"""Many watches of one place, in an event loop whose time is a number."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.health import watches
from airflow_dataops.core.health.watches import Seen, Sight
from airflow_dataops.triggers import lookout as room
from airflow_dataops.triggers.lookout import lookout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

MET = Sight(seen=Seen.MET, message="there")
WAITING = Sight(seen=Seen.WAITING, message="not yet")


class _Leaping(selectors.SelectSelector):
    """Instead of waiting, time leaps to where the wait would end."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = _Leaping()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def run(main: Callable[[Loop], Coroutine[Any, Any, Any]]) -> Any:
    loop = Loop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    monkeypatch.setattr(room.asyncio, "to_thread", at_once)


class Place:
    """Remembers who was looked at, and when."""

    def __init__(self, loop: Loop, answer: Callable[[Any], Sight] = lambda watch: WAITING) -> None:
        self.loop = loop
        self.answer = answer
        self.looks: list[tuple[float, list[Any]]] = []

    def look(self, asked: Sequence[Any]) -> list[Sight]:
        self.looks.append((self.loop.time(), list(asked)))
        return [self.answer(watch) for watch in asked]


async def watch(place: Place, name: Any, interval: float, start: float, until: float) -> int:
    """Watch until a time; return how many sights there were."""
    await asyncio.sleep(start)
    count = 0
    async for _ in lookout("place", place.look).sights(name, interval):
        count += 1
        if place.loop.time() >= until:
            break
    return count


def statements(names: Sequence[Any]) -> int:
    """What `core.health.watches.look` sends: the listing, five hundred in one, and the chunks."""
    return 1 + -(-len(names) // 500) + -(-len(names) // watches.CHUNK)


def test_a_thousand_sensors_that_start_when_they_like_are_twenty_statements_a_minute() -> None:
    async def main(loop: Loop) -> tuple[Place, list[int]]:
        place = Place(loop)
        starts = (60 * (n * 0.6180339 % 1) for n in range(1000))
        sights = [watch(place, n, 60, start, 1200) for n, start in enumerate(starts)]
        return place, await asyncio.gather(*sights)

    place, counts = run(main)
    a_minute: Counter[int] = Counter()
    for at, names in place.looks:
        a_minute[int(at // 60)] += statements(names)
    assert max(n for minute, n in a_minute.items() if 2 <= minute < 19) <= 20, a_minute
    assert max(a_minute.values()) <= 40, a_minute
    assert min(counts) >= 17
    assert sum(names.count(0) for _, names in place.looks) >= 17


def test_nobody_waits_longer_for_a_look_than_asked_for() -> None:
    async def main(loop: Loop) -> Place:
        place = Place(loop)
        every = {"fast": 3.0, "slow": 60.0, "slower": 300.0}
        await asyncio.gather(
            *(
                watch(place, name, each, n * 7.0, 900)
                for n, (name, each) in enumerate(every.items())
            )
        )
        return place

    place = run(main)
    for name, interval in (("fast", 3.0), ("slow", 60.0), ("slower", 300.0)):
        times = [at for at, names in place.looks if name in names]
        gaps = [after - before for before, after in pairwise(times)]
        assert max(gaps) <= interval + 3.0
        assert min(gaps) >= interval / 2 - 0.01, (name, gaps)


def test_an_error_is_told_to_each_and_the_next_look_is_made() -> None:
    errors = [ConnectionError("down")]

    def answer(watch: Any) -> Sight:
        if errors:
            raise errors.pop()
        return MET

    async def main(loop: Loop) -> list[list[Seen]]:
        place = Place(loop, answer)

        async def two(name: str) -> list[Seen]:
            found = []
            async for sight in lookout("place", place.look).sights(name, 30):
                found.append(sight.seen)
                if len(found) == 2:
                    break
            return found

        return await asyncio.gather(two("a"), two("b"))

    assert run(main) == [[Seen.ERRORED, Seen.MET]] * 2


def test_who_left_is_not_looked_at_and_an_empty_place_is_left_alone() -> None:
    async def main(loop: Loop) -> Place:
        place = Place(loop)
        await asyncio.gather(watch(place, "short", 10, 0, 30), watch(place, "long", 10, 0, 100))
        await asyncio.sleep(1000)
        return place

    place = run(main)
    assert max(at for at, names in place.looks if "short" in names) < 45
    assert max(at for at, _ in place.looks) < 120
