"""How much of the bodies of requests may lie in memory while they come in and wait for their turn."""

from __future__ import annotations

import asyncio
from typing import Self

FREE_BYTES = 64 * 1024
"""Of each body, not counted: a connection costs as much by itself."""


class Intake:
    """Room for the bodies of all requests together: `max_bytes`, counted as they come in.

    What was only announced takes no room, so whoever sends slowly, or not at all, holds up nobody; and small
    bodies need none. Where there is no room, those who receive wait, but for one at a time: it may go
    beyond, since it is by ends that room is made.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._beyond: Share | None = None
        self._freed = asyncio.Event()

    def share(self) -> Share:
        """Give one request its share, which grows with its body."""
        return Share(self)

    async def take(self, share: Share, size: int) -> None:
        """Wait for room."""
        while self._left < size and self._beyond not in (None, share):
            self._freed.clear()
            await self._freed.wait()
        if self._left < size:
            self._beyond = share
        self._left -= size

    def free(self, share: Share, size: int) -> None:
        """Make room."""
        self._left += size
        if self._beyond is share:
            self._beyond = None
        self._freed.set()


class Share:
    """The room that one body takes, until it is closed."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._size = self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def grow(self, size: int) -> None:
        """Take room for so many bytes more, waiting for it where there is none."""
        self._size += size
        wanted = max(self._size - FREE_BYTES, 0) - self._held
        if wanted > 0:
            await self._intake.take(self, wanted)
            self._held += wanted

    def close(self) -> None:
        """Give the room back: the body is worked on now, or lies on the disk. Done twice, it does nothing."""
        held, self._held = self._held, 0
        self._intake.free(self, held)
