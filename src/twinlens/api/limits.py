"""How many requests may be worked on, and how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..domain.errors import ResourceExhausted


class Gate:
    """Lets `running` requests through at a time and `waiting` more wait; refuses the rest with 429."""

    def __init__(self, running: int, waiting: int) -> None:
        self._slots = asyncio.Semaphore(running)
        self._most = running
        self._room = running + waiting
        self._inside = 0

    @property
    def running(self) -> int:
        """How many requests are worked on."""
        return min(self._inside, self._most)

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return self._inside - self.running

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a place while a request is worked on."""
        if self._inside >= self._room:
            raise ResourceExhausted("Resource has been exhausted (e.g. check quota).", retry_after_s=1.0)
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1
