"""One look for all watches of a place: a thousand sensors on a connection are a few statements.

In a triggerer, watches of one place (a connection, a storage) share a lookout. It looks when the
first of them is due, and takes along those that are due soon; so they come to be due together.
(Airflow's shared streams do not know who reads them, so they cannot ask for what is wanted alone.)
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from airflow_dataops.core.health.watches import errored

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Hashable, Sequence

    from airflow_dataops.core.health.watches import Sight

log = logging.getLogger(__name__)

W = TypeVar("W")
_GATHERING = 1.0
"""Seconds for which the first look waits, so that those who start together are asked together."""
_APART = 10.0
"""Seconds between two looks at least, unless somebody asked for shorter ones."""
_SOON = 0.5
"""The share of its interval by which a watch may be looked at early."""


class _Place(Generic[W]):
    """One who waits. Attributes: `due` in the loop's time; `sights` are those it has not read."""

    def __init__(self, watch: W, interval: float, due: float) -> None:
        self.watch = watch
        self.interval = interval
        self.due = due
        self.sights: asyncio.Queue[Sight] = asyncio.Queue()


class Lookout(Generic[W]):
    """Looks at one place for as long as somebody watches it.

    Args:
        look: looks once for several watches, in a thread; what it raises is a sight for each.
    """

    def __init__(self, look: Callable[[Sequence[W]], Sequence[Sight]]) -> None:
        self._look = look
        self._places: list[_Place[W]] = []
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._looked = float("-inf")

    async def sights(self, watch: W, interval: float) -> AsyncGenerator[Sight, None]:
        """Yield what each look finds, for ever.

        Args:
            interval: seconds between two looks, about.
        """
        now = asyncio.get_running_loop().time()
        place = _Place(watch, interval, now + min(_GATHERING, interval))
        self._places.append(place)
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go())
        try:
            while True:
                yield await place.sights.get()
        finally:
            self._places.remove(place)
            self._woken.set()

    async def _go(self) -> None:
        loop = asyncio.get_running_loop()
        while self._places:
            wait = self._next() - loop.time()
            if wait > 0:
                self._woken.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait)
                continue
            await self._round(loop.time())

    def _next(self) -> float:
        """Return when the next look is."""
        apart = min(_APART, *(place.interval for place in self._places))
        return max(min(place.due for place in self._places), self._looked + apart)

    async def _round(self, now: float) -> None:
        due = [each for each in self._places if each.due <= now + _SOON * each.interval]
        watches = [each.watch for each in due]
        try:
            sights = await asyncio.to_thread(self._look, watches)
        except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
            sights = [errored(error)] * len(due)
        self._looked = asyncio.get_running_loop().time()
        log.debug("Looked at %d of %d watches", len(due), len(self._places))
        for place, sight in zip(due, sights, strict=True):
            place.due = self._looked + place.interval
            place.sights.put_nowait(sight)


_lookouts: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Lookout[Any]]] = (
    WeakKeyDictionary()
)


def lookout(key: Hashable, look: Callable[[Sequence[W]], Sequence[Sight]]) -> Lookout[W]:
    """Return the lookout of a place in the running loop; `look` makes it where there is none."""
    mine = _lookouts.setdefault(asyncio.get_running_loop(), {})
    if key not in mine:
        mine[key] = Lookout(look)
    found: Lookout[W] = mine[key]
    return found
