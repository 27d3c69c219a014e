"""From an encoded picture to its pixels, doing nothing twice.

What has been decoded for some content and size is kept on disk, and requests that want the same pixels
at the same time share one decode, and one array.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .. import __version__, media
from ..domain.errors import BadMedia
from ..domain.media import Blob, ImageInfo, Pixels
from ..media.worker import DecodePool
from ..store.cache import PixelCache

DIGEST_ON_LOOP_BYTES = 256 * 1024
"""Smaller content is hashed sooner than a thread is woken."""

WORTH_KEEPING_PIXELS = 256 * 256
"""Smaller pictures are decoded in a millisecond or two, and are not worth a file each."""


@dataclass(slots=True)
class _Flight:
    """A decode on its way, and how many wait for it."""

    task: asyncio.Task[Pixels]
    waiting: int = 0


class Decoded:
    """Gives pixels from the cache or from the pool. Used from one event loop.

    `hits`, `joined` and `misses` count what was asked for: read from the cache, shared with a request that
    was already waiting, decoded.
    """

    def __init__(self, pool: DecodePool, cache: PixelCache | None) -> None:
        self._pool = pool
        self._cache = cache
        self._flights: dict[str, _Flight] = {}
        self.hits = 0
        self.joined = 0
        self.misses = 0

    async def image(self, blob: Blob, info: ImageInfo, width: int, height: int) -> tuple[Pixels, str]:
        """Give upright pixels of exactly `width` x `height`, and a digest that names them.

        The pixels cannot be written to: other requests may be looking at the same ones. Cancelling one
        request takes nothing from the others.
        """
        content = await _content(blob)
        digest = f"{content}-{width}x{height}"
        try:
            return await self._shared(digest, lambda: self._load(content, blob, info, width, height)), digest
        except BadMedia as refusal:
            # Each caller is told of its own field, whoever's bytes were decoded.
            raise BadMedia(refusal.message, field=blob.field) from refusal

    async def _shared(self, digest: str, load: Callable[[], Coroutine[Any, Any, Pixels]]) -> Pixels:
        flight = self._flights.get(digest)
        if flight is None:
            flight = self._flights[digest] = _Flight(asyncio.create_task(load()))
            flight.task.add_done_callback(_hear)
        else:
            self.joined += 1
        flight.waiting += 1
        try:
            # Unlike awaiting the task, waiting for it does not cancel it.
            await asyncio.wait([flight.task])
            return flight.task.result()
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                del self._flights[digest]

    async def _load(self, content: str, blob: Blob, info: ImageInfo, width: int, height: int) -> Pixels:
        cache = self._cache if info.width * info.height >= WORTH_KEEPING_PIXELS else None
        # Another version may decode to other pixels.
        plan = f"{width}x{height} by {__version__}"
        kept = await cache.get(content, plan) if cache else None
        if kept is not None:
            self.hits += 1
            return kept
        self.misses += 1
        pixels = await self._pool.decode(blob, info, width, height)
        pixels.setflags(write=False)
        if cache:
            cache.put(content, plan, pixels)
        return pixels


async def _content(blob: Blob) -> str:
    if blob.digest is not None:
        return blob.digest
    if len(blob.data) <= DIGEST_ON_LOOP_BYTES:
        return media.digest(blob.data)
    return await asyncio.to_thread(media.digest, blob.data)


def _hear(task: asyncio.Task[Pixels]) -> None:
    """Take note of a failure, which nobody else does where all who waited are gone."""
    if not task.cancelled():
        task.exception()
