"""What one project may have of what all share: never all of it, so that others find some at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


def share_of_one(total: int, alone: bool = False) -> int:
    """Return how much of `total` one project may have: three quarters, or all where it is `alone`."""
    return total if alone else max(total * 3 // 4, min(total, 1))


class ProjectCounts(Counter[str]):
    """How much each project holds; those that hold nothing take no memory."""

    def drop(self, project: str, size: int = 1) -> None:
        """Count so much less."""
        self[project] -= size
        if not self[project]:
            del self[project]


class FairSemaphore:
    """Gives `places` turns, `share_of_one` them to one project (all where it is `alone`). For one event loop.

    The next is that of the project that has the fewest; among equals, of the one whose last turn began the
    longest ago, and within it, of who has waited the longest.
    """

    def __init__(self, places: int, alone: bool = False) -> None:
        self._free = places
        self._most = share_of_one(places, alone)
        self._held = ProjectCounts()
        # In the order of arrival.
        self._waiting: dict[asyncio.Future[None], str] = {}
        self._last: dict[str, int] = {}
        self._ticks = count(1)

    def locked(self, project: str) -> bool:
        """Whether the project's next request would have to wait."""
        return not self._free or self._held[project] >= self._most

    @asynccontextmanager
    async def turn(self, project: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        await self._take(project)
        try:
            yield
        finally:
            self._give_back(project)

    async def _take(self, project: str) -> None:
        ready = asyncio.get_running_loop().create_future()
        self._waiting[ready] = project
        self._serve()
        try:
            await ready
        except asyncio.CancelledError:
            if self._waiting.pop(ready, None) is None:
                self._give_back(project)
            self._forget(project)
            raise

    def _give_back(self, project: str) -> None:
        self._free += 1
        self._held.drop(project)
        self._serve()
        self._forget(project)

    def _forget(self, project: str) -> None:
        if not self._held[project] and project not in self._waiting.values():
            self._last.pop(project, None)

    def _serve(self) -> None:
        while self._free and (ready := self._next()):
            project = self._waiting.pop(ready)
            self._free -= 1
            self._held[project] += 1
            self._last[project] = next(self._ticks)
            ready.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        # Who was cancelled and has not come to leave yet is done, without a turn.
        able = [
            ready
            for ready, project in self._waiting.items()
            if not ready.done() and self._held[project] < self._most
        ]
        return min(able, key=lambda ready: self._rank(self._waiting[ready]), default=None)

    def _rank(self, project: str) -> tuple[int, int]:
        return self._held[project], self._last.get(project, 0)
