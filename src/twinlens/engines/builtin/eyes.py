"""The processes that look at pictures; each keeps its models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ...domain.media import Image
from .children import Children, told
from .facts import Difference, FactName, Facts

if TYPE_CHECKING:
    from .look import Observer

T = TypeVar("T")


class Eyes:
    """A pool of child processes, each with an observer of its own."""

    def __init__(self, processes: int = 1) -> None:
        self._processes = max(processes, 1)
        self._children = Children(self._processes, "looks at pictures")
        self._turns = asyncio.Semaphore(self._processes)

    async def start(self) -> None:
        """Start the processes and have each load what it needs."""
        await asyncio.gather(*(self._children.do(_warm_up) for _ in range(self._processes)))

    async def stop(self) -> None:
        """End the processes; looks that still wait are dropped."""
        await self._children.stop()

    async def look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find facts in a picture."""
        return await self._children.do(_look, image, wanted)

    async def look_in_turn(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find facts in one of very many pictures: a frame, a page.

        Of all those, only as many are under way as there are processes. So somebody with a single picture
        waits until one of them is done, however many films and scans are being looked through.
        """
        async with self._turns:
            return await self.look(image, wanted)

    async def compare(self, first: Image, second: Image) -> Difference:
        """Find what changed from one picture to the next."""
        return await self._children.do(_compare, first, second)


# What follows runs in the children.

_observer: Observer | None = None


def _warm_up() -> None:
    _asked(lambda observer: observer.warm_up())


def _look(image: Image, wanted: frozenset[FactName]) -> Facts:
    return _asked(lambda observer: observer.look(image, wanted))


def _compare(first: Image, second: Image) -> Difference:
    return _asked(lambda observer: observer.compare(first, second))


def _asked(ask: Callable[[Observer], T]) -> T:
    return told(lambda: ask(_get_observer()))


def _get_observer() -> Observer:
    global _observer
    if _observer is None:
        # Imported here and not above: what reads pictures is heavy, and the server does without.
        from .look import Observer

        _observer = Observer()
    return _observer
