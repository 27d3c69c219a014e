"""From encoded media to pixels, doing nothing twice.

What has been decoded for some content and size is kept on disk, and requests of a project that want the
same picture at the same time share one decode, and one array. Nothing is shared between projects: who gets
an answer sooner than another would know what the other has shown.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from .. import __version__
from ..concurrency.tasks import read_ahead
from ..domain.media import Blob, ImageInfo, Pixels
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.jobs import Job
from ..media.worker.pool import WorkerPool
from ..store.cache import PixelCache
from .content_hash import content_of, named_for, read_as
from .media_flight import MediaFlight

T = TypeVar("T")

WORTH_KEEPING_PIXELS = 256 * 256
"""Smaller pictures are decoded in a millisecond or two, and are not worth a file each."""


class Decoder:
    """What is decoded, for all requests: the pool, the cache and the decodes under way.

    Used from one event loop. `hits`, `joined` and `misses` count what was asked for: read from the cache,
    shared with a request that was already waiting, decoded.
    """

    def __init__(self, pool: WorkerPool, cache: PixelCache | None) -> None:
        self.pool = pool
        self.cache = cache
        self.flights: MediaFlight[Pixels] = MediaFlight()
        self.hits = 0
        self.misses = 0

    @property
    def joined(self) -> int:
        """How often a decode that was under way was shared."""
        return self.flights.joined

    def for_request(self, work: ComputeQuota) -> RequestDecoder:
        """Give what decodes for one request, and finds what was decoded for its project."""
        return RequestDecoder(self, work)


class RequestDecoder:
    """Gives one request its pixels, from the cache or from the pool."""

    def __init__(self, shared: Decoder, work: ComputeQuota) -> None:
        self._shared = shared
        self._work = work

    def name(self, blob: Blob) -> str:
        """Name a blob's content to an engine, which may remember what it has seen of it."""
        return named_for(self._work.project, read_as(blob.digest or "", blob.mime_type))

    async def image(self, blob: Blob, info: ImageInfo, width: int, height: int) -> tuple[Pixels, str]:
        """Give upright pixels of exactly `width` x `height`, and a digest that names them.

        The pixels cannot be written to: other requests may be looking at the same ones. Cancelling one
        request takes nothing from the others.
        """
        content = await content_of(blob)
        digest = named_for(self._work.project, f"{content}-{width}x{height}")
        pixels = await self._shared.flights.do_for_field(
            digest, lambda: self._load(content, blob, info, width, height), blob.field, self._work
        )
        return pixels, digest

    async def series(
        self, blob: Blob, names: Sequence[str], load: Callable[[int], Awaitable[Sequence[Pixels]]]
    ) -> AsyncGenerator[Pixels, None]:
        """Give the pictures of a medium that `names` tell apart, one after the other.

        `load(n)` decodes the n-th and as many of those after it as are had cheaply; that goes on while
        the last ones are being looked at.
        """
        async with aclosing(read_ahead(self._batches(blob, names, load))) as batches:
            async for batch in batches:
                for pixels in batch:
                    yield pixels

    async def do(self, job: Job[T]) -> T:
        """Do a job on a recording or a document, or a part of it, when its turn comes."""
        return await self._shared.pool.do(job, self._work)

    async def _batches(
        self, blob: Blob, names: Sequence[str], load: Callable[[int], Awaitable[Sequence[Pixels]]]
    ) -> AsyncGenerator[Sequence[Pixels], None]:
        content, done = await content_of(blob), 0
        while done < len(names):
            kept = await self._kept(content, names[done])
            if kept is not None:
                batch: Sequence[Pixels] = (kept,)
            else:
                batch = await load(done)
                self._shared.misses += len(batch)
                self._keep(content, names[done : done + len(batch)], batch)
            done += len(batch)
            yield batch

    async def _load(self, content: str, blob: Blob, info: ImageInfo, width: int, height: int) -> Pixels:
        name = f"{width}x{height}"
        is_worth_it = info.width * info.height >= WORTH_KEEPING_PIXELS
        kept = await self._kept(content, name) if is_worth_it else None
        if kept is not None:
            return kept
        self._shared.misses += 1
        pixels = await self._shared.pool.decode(blob, info, width, height, self._work)
        self._keep(content, (name,), (pixels,), is_worth_it)
        return pixels

    async def _kept(self, content: str, name: str) -> Pixels | None:
        cache = self._shared.cache
        kept = await cache.get(self._work.project, content, _plan(name)) if cache else None
        self._shared.hits += kept is not None
        return kept

    def _keep(
        self, content: str, names: Sequence[str], batch: Sequence[Pixels], is_worth_it: bool = True
    ) -> None:
        cache = self._shared.cache
        for name, pixels in zip(names, batch, strict=True):
            pixels.setflags(write=False)
            if cache and is_worth_it:
                cache.put(self._work.project, content, _plan(name), pixels)


def _plan(name: str) -> str:
    """Name what was made of a content: another version may decode to other pixels."""
    return f"{name} by {__version__}"
