"""How much of the bodies of requests may lie in memory while they come in and wait for their turn."""

from __future__ import annotations

import asyncio
from typing import Self

from .fairness import ProjectCounts, share_of_one

FREE_BYTES = 64 * 1024
"""The first bytes of each body are not counted: a connection costs as much by itself. Not measured."""


class BodyMemory:
    """Room for the bodies of all requests together: `max_bytes`, counted as they come in.

    What was only announced takes no room, so a slow client holds up no other; and small
    bodies need none. One project has at most three quarters of it, or all where it is `alone`. Where there is
    no room, those who receive wait, but for one of each project: it may go beyond, since it is by ends that
    room is made. So no project waits for the bodies of others, and there is never more than the room and one
    body for each project.
    """

    def __init__(self, max_bytes: int, *, alone: bool = False) -> None:
        self._left, self._most = max_bytes, share_of_one(max_bytes, alone)
        self._held = ProjectCounts()
        self._beyond: dict[str, Reservation] = {}
        self._freed = asyncio.Event()

    def reserve(self, project: str) -> Reservation:
        """Return a reservation for one request of a project, which grows with its body."""
        return Reservation(self, project)

    async def take(self, share: Reservation, size: int) -> None:
        """Wait for room."""
        project = share.project
        while not self._has_room(project, size) and self._beyond.get(project, share) is not share:
            self._freed.clear()
            await self._freed.wait()
        if not self._has_room(project, size):
            self._beyond[project] = share
        self._left -= size
        self._held[project] += size

    def free(self, share: Reservation, size: int) -> None:
        """Release room, and wake those who wait for it."""
        self._left += size
        self._held.drop(share.project, size)
        if self._beyond.get(share.project) is share:
            del self._beyond[share.project]
        self._freed.set()

    def _has_room(self, project: str, size: int) -> bool:
        return size <= min(self._left, self._most - self._held[project])


class Reservation:
    """The room that one body takes, until it is closed."""

    def __init__(self, body_memory: BodyMemory, project: str) -> None:
        self._body_memory = body_memory
        self.project = project
        self._size = self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def grow(self, size: int) -> None:
        """Reserve so many more bytes, waiting where there is no room."""
        self._size += size
        wanted = max(self._size - FREE_BYTES, 0) - self._held
        if wanted > 0:
            await self._body_memory.take(self, wanted)
            self._held += wanted

    def close(self) -> None:
        """Release the room: the body is being processed, or lies on the disk. Idempotent."""
        held, self._held = self._held, 0
        self._body_memory.free(self, held)
