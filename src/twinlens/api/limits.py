"""How many requests may be worked on, and how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Self

from ..domain.errors import ResourceExhausted
from .intake import Share


class Gate:
    """Lets `running` requests through at a time and `waiting` more wait; refuses the rest with 429.

    Work in the background has at most half of the turns, but one, and half of the room for waiting:
    somebody waits for all the rest.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self._room = running + waiting
        self._background_turns = max(1, running // 2)
        self._background_room = self._background_turns + waiting // 2
        self.turns = asyncio.Semaphore(running)
        self.background = asyncio.Semaphore(self._background_turns)
        self.running = 0
        self._inside = self._inside_background = 0
        self._left = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._inside - self.running

    @asynccontextmanager
    async def slot(self, body: Share | None = None) -> AsyncIterator[None]:
        """Hold a place and a turn while a request is worked on, whose body has been read."""
        with self.place(body) as place:
            async with place.turn():
                yield

    def check_room(self) -> None:
        """Raise where there are enough: a body that would be refused need not be read."""
        if self._inside >= self._room:
            raise _exhausted()

    def place(self, body: Share | None = None) -> Place:
        """Be one of those who wait or are worked on; raise where there are enough of them.

        The body must have been read: who sends slowly takes no place from those who are ready.
        """
        self.check_room()
        self._inside += 1
        return Place(self, body)

    async def room(self) -> None:
        """Wait until one more in the background would not be refused."""
        while self._inside >= self._room or self._inside_background >= self._background_room:
            self._left.clear()
            await self._left.wait()

    def join_background(self) -> bool:
        """Count one more in the background; say whether it has to wait. Raise where there are enough."""
        if self._inside_background >= self._background_room:
            raise _exhausted()
        self._inside_background += 1
        return self._inside_background > self._background_turns or self.turns.locked()

    def leave(self, *, background: bool) -> None:
        """Count one less."""
        self._inside -= 1
        self._inside_background -= background
        self._left.set()


class Place:
    """The place of one request, until it is closed; with the room in memory that its body takes."""

    def __init__(self, gate: Gate, body: Share | None) -> None:
        self._gate = gate
        self._body = body
        self._is_open, self._in_background = True, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put_down(self) -> None:
        """Make room for other bodies: this one is worked on now, or lies on the disk."""
        if self._body is not None:
            self._body.close()

    def go_into_background(self) -> bool:
        """Take of the share of what nobody waits for; say whether it has to wait for its turn."""
        waits = self._gate.join_background()
        self._in_background = True
        return waits

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be worked on."""
        gate = self._gate
        async with gate.background if self._in_background else nullcontext(), gate.turns:
            self.put_down()
            gate.running += 1
            try:
                yield
            finally:
                gate.running -= 1

    def close(self) -> None:
        """Leave. Done twice, the second time does nothing."""
        if self._is_open:
            self._is_open = False
            self.put_down()
            self._gate.leave(background=self._in_background)


def _exhausted() -> ResourceExhausted:
    return ResourceExhausted("Resource has been exhausted (e.g. check quota).", retry_after_s=1.0)
