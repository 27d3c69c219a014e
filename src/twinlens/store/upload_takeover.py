"""Who may write to an upload: the newest request.

A client that lost its connection comes back at once, while the server may still hold the old request
open. The newcomer takes over; the old request is refused at its next block. Steps of the two never
overlap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from ..domain.errors import FailedPrecondition

PAUSE_S = 5.0
"""Steps are short, but for the last one where the bytes are sent to a remote store. Chosen."""


@dataclass(slots=True)
class _Place:
    """What the requests for one upload share."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: WriteClaim | None = None
    users: int = 0


class WriteClaim:
    """One request's right to write, until a newer one comes."""

    def __init__(self, place: _Place) -> None:
        self._place = place

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """Run one step while no other request does. Raises where a newer request has taken over."""
        async with self._place.lock:
            if self._place.newest is not self:
                raise FailedPrecondition("Another request has taken over this upload.")
            yield


class UploadTakeover:
    """The newest request of each upload in progress."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def take(self, upload_id: str) -> AsyncIterator[WriteClaim]:
        """Become the newest request for an upload."""
        place = self._places.setdefault(upload_id, _Place())
        place.users += 1
        place.newest = turn = WriteClaim(place)
        try:
            yield turn
        finally:
            place.users -= 1
            if not place.users:
                del self._places[upload_id]

    async def pause(self, upload_id: str) -> None:
        """Wait while a request is in the middle of a step, but not for long, nor for the rest of it."""
        if place := self._places.get(upload_id):
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S), place.lock:
                    pass
