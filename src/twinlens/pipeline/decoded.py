"""From encoded media to pixels, doing nothing twice.

What has been decoded for some content and size is kept on disk, and requests that want the same picture
at the same time share one decode, and one array.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from .. import __version__
from ..domain.errors import BadMedia
from ..domain.media import Blob, ImageInfo, Pixels
from ..media.jobs import Job
from ..media.worker import DecodePool
from ..store.cache import PixelCache
from .concurrency import ahead
from .content import content_of
from .flights import Flights

T = TypeVar("T")

WORTH_KEEPING_PIXELS = 256 * 256
"""Smaller pictures are decoded in a millisecond or two, and are not worth a file each."""


class Decoded:
    """Gives pixels from the cache or from the pool. Used from one event loop.

    Of recordings and documents, `long_jobs` are worked on at once: the other workers are left to images.
    `hits`, `joined` and `misses` count what was asked for: read from the cache, shared with a request that
    was already waiting, decoded.
    """

    def __init__(self, pool: DecodePool, cache: PixelCache | None, long_jobs: int = 1) -> None:
        self._pool = pool
        self._cache = cache
        self._places = asyncio.Semaphore(long_jobs)
        self._flights: Flights[Pixels] = Flights()
        self.hits = 0
        self.misses = 0

    @property
    def joined(self) -> int:
        """How often a decode that was under way was shared."""
        return self._flights.joined

    async def image(self, blob: Blob, info: ImageInfo, width: int, height: int) -> tuple[Pixels, str]:
        """Give upright pixels of exactly `width` x `height`, and a digest that names them.

        The pixels cannot be written to: other requests may be looking at the same ones. Cancelling one
        request takes nothing from the others.
        """
        content = await content_of(blob)
        digest = f"{content}-{width}x{height}"
        try:
            pixels = await self._flights.shared(
                digest, lambda: self._load(content, blob, info, width, height)
            )
        except BadMedia as refusal:
            # Each caller is told of its own field, whoever's bytes were decoded.
            raise BadMedia(refusal.message, field=blob.field) from refusal
        return pixels, digest

    async def series(
        self, blob: Blob, names: Sequence[str], load: Callable[[int], Awaitable[Sequence[Pixels]]]
    ) -> AsyncGenerator[Pixels, None]:
        """Give the pictures of a medium that `names` tell apart, one after the other.

        `load(n)` decodes the n-th and as many of those after it as are had cheaply; that goes on while
        the last ones are being looked at.
        """
        async with aclosing(ahead(self._batches(blob, names, load))) as batches:
            async for batch in batches:
                for pixels in batch:
                    yield pixels

    async def do(self, job: Job[T]) -> T:
        """Do a job on a recording or a document, when there is a place for it."""
        async with self._places:
            return await self._pool.do(job)

    async def _batches(
        self, blob: Blob, names: Sequence[str], load: Callable[[int], Awaitable[Sequence[Pixels]]]
    ) -> AsyncGenerator[Sequence[Pixels], None]:
        content, done = await content_of(blob), 0
        while done < len(names):
            kept = await self._kept(content, _plan(names[done]))
            if kept is not None:
                batch: Sequence[Pixels] = (kept,)
            else:
                batch = await load(done)
                self.misses += len(batch)
                self._keep(content, names[done : done + len(batch)], batch)
            done += len(batch)
            yield batch

    async def _load(self, content: str, blob: Blob, info: ImageInfo, width: int, height: int) -> Pixels:
        name = f"{width}x{height}"
        is_worth_it = info.width * info.height >= WORTH_KEEPING_PIXELS
        kept = await self._kept(content, _plan(name)) if is_worth_it else None
        if kept is not None:
            return kept
        self.misses += 1
        pixels = await self._pool.decode(blob, info, width, height)
        self._keep(content, (name,), (pixels,), is_worth_it)
        return pixels

    async def _kept(self, content: str, plan: str) -> Pixels | None:
        kept = await self._cache.get(content, plan) if self._cache else None
        self.hits += kept is not None
        return kept

    def _keep(
        self, content: str, names: Sequence[str], batch: Sequence[Pixels], is_worth_it: bool = True
    ) -> None:
        for name, pixels in zip(names, batch, strict=True):
            pixels.setflags(write=False)
            if self._cache and is_worth_it:
                self._cache.put(content, _plan(name), pixels)


def _plan(name: str) -> str:
    """Name what was made of a content: another version may decode to other pixels."""
    return f"{name} by {__version__}"
