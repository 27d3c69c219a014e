"""The processes that look at pictures; each keeps its models."""

from __future__ import annotations

import asyncio

from ...domain.media import Image
from ...processes.fork_server import ForkServer
from ...processes.workers import SharedWorkers
from .facts import Difference, FactName, Facts


class Eyes:
    """A pool of processes, each with an observer of its own, in which long looks make way for others."""

    def __init__(self, server: ForkServer, processes: int = 1) -> None:
        count = max(processes, 1)
        # Named, not imported: what reads pictures is heavy, and the server does without.
        entry = f"{__package__}.look:handlers"
        self._workers = SharedWorkers(server, entry, count, "looks at pictures", first=("warm_up",))
        self._turns = asyncio.Semaphore(count)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers."""
        return self._workers.pids

    async def start(self) -> None:
        """Start the processes and have each load what it needs."""
        await self._workers.start()

    async def stop(self) -> None:
        """End the processes; looks that still wait are dropped."""
        await self._workers.stop()

    async def look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find facts in a picture."""
        found: Facts = await self._workers.call("look", image, wanted)
        return found

    async def look_in_turn(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find facts in one of very many pictures: a frame, a page.

        Of all those, only as many are under way as there are processes. So somebody with a single picture
        waits until one of them is done, however many films and scans are being looked through.
        """
        async with self._turns:
            return await self.look(image, wanted)

    async def compare(self, first: Image, second: Image) -> Difference:
        """Find what changed from one picture to the next."""
        found: Difference = await self._workers.call("compare", first, second)
        return found
