"""From encoded media to what engines take of it, doing nothing twice.

What has been decoded for a content and a size is cached on disk, and requests of a project that want the
same image at the same time share one decode, and one array. Nothing is shared between projects: the
response time would reveal what another project has sent.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from .. import __version__
from ..concurrency.lru import LRU
from ..concurrency.tasks import read_ahead
from ..domain.engine import ImageForm
from ..domain.media import Blob, EncodedImage, ImageData, ImageInfo
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.jobs import Decode, Job
from ..media.worker.pool import WorkerPool
from ..store.cache import PixelCache
from .content_hash import content_of, named_for, read_as
from .media_flight import MediaFlight

T = TypeVar("T")

WORTH_KEEPING_PIXELS = 256 * 256
"""Smaller images are decoded in a millisecond or two, and are not worth a file each."""

MOST_KNOWN_DECODABLE = 100_000
"""How many images are remembered as decodable: some 20 MB of names."""


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """What is to be made of a content: upright, of this size and form; `of` says which of its images."""

    width: int
    height: int
    form: ImageForm = "pixels"
    of: str = ""

    @property
    def name(self) -> str:
        """A name that differs between plans of one content that show different pixels."""
        return f"{self.width}x{self.height}{self.of}"

    @property
    def key(self) -> str:
        """The cache key: with the form, and the version, which may decode differently."""
        return f"{self.name} {self.form} by {__version__}"


class Decoder:
    """The decoders of all requests: the pool, the cache and the decodes in progress.

    Used from one event loop. `hits`, `joined` and `misses` count what was asked for: read from the cache,
    shared with a request that was already waiting, decoded.
    """

    def __init__(self, pool: WorkerPool, cache: PixelCache | None) -> None:
        self.pool = pool
        self.cache = cache
        self.flights: MediaFlight[ImageData] = MediaFlight()
        self.hits = 0
        self.misses = 0
        self._decodable: LRU[tuple[str, str], bool] = LRU(MOST_KNOWN_DECODABLE)

    def note_decodable(self, project: str, content: str) -> None:
        """Remember that an image could be decoded."""
        self._decodable.put((project, content), True)

    def is_decodable(self, project: str, content: str) -> bool:
        """Whether an image of the project is known to be whole."""
        return self._decodable.get((project, content)) is not None

    @property
    def joined(self) -> int:
        """How often a decode in progress was shared."""
        return self.flights.joined

    def for_request(self, quota: ComputeQuota) -> RequestDecoder:
        """Return a decoder for one request, which shares cached images within its project."""
        return RequestDecoder(self, quota)


class RequestDecoder:
    """Decodes for one request, from the cache or in the pool."""

    def __init__(self, shared: Decoder, quota: ComputeQuota) -> None:
        self._shared = shared
        self._quota = quota

    def name(self, blob: Blob) -> str:
        """Return the name of a blob's content under which an engine may cache what it found in it."""
        return named_for(self._quota.project, read_as(blob.digest or "", blob.mime_type))

    async def image(
        self, blob: Blob, info: ImageInfo, width: int, height: int, form: ImageForm = "pixels"
    ) -> ImageData:
        """Return an upright image of exactly `width` x `height`, as pixels or as a file.

        Pixels are read-only: other requests may share them. Cancelling one request
        takes nothing from the others.
        """
        content = await content_of(blob)
        plan = ImagePlan(width, height, form)
        made = await self._shared.flights.do_for_field(
            named_for(self._quota.project, f"{content}-{plan.key}"),
            lambda: self._load(content, blob, info, plan),
            blob.field,
            self._quota,
        )
        self._shared.note_decodable(self._quota.project, content)
        return made

    async def check(self, blob: Blob, info: ImageInfo, width: int, height: int, form: ImageForm) -> None:
        """Raise where an image cannot be decoded. One that has been decoded is not decoded again."""
        if not self._shared.is_decodable(self._quota.project, await content_of(blob)):
            await self.image(blob, info, width, height, form)

    async def series(
        self,
        blob: Blob,
        plans: Sequence[ImagePlan],
        load: Callable[[int], Awaitable[Sequence[ImageData]]],
    ) -> AsyncGenerator[ImageData, None]:
        """Yield the images of a medium that `plans` describe, one after the other.

        `load(n)` decodes the n-th and as many of those after it as are cheap; it runs ahead while the
        last ones are being used.
        """
        async with aclosing(read_ahead(self._batches(blob, plans, load))) as batches:
            async for batch in batches:
                for made in batch:
                    yield made

    async def do(self, job: Job[T]) -> T:
        """Run a job on a recording or a document when its turn comes."""
        return await self._shared.pool.do(job, self._quota)

    async def _batches(
        self,
        blob: Blob,
        plans: Sequence[ImagePlan],
        load: Callable[[int], Awaitable[Sequence[ImageData]]],
    ) -> AsyncGenerator[Sequence[ImageData], None]:
        content, done = await content_of(blob), 0
        while done < len(plans):
            kept = await self._kept(content, plans[done])
            if kept is not None:
                batch: Sequence[ImageData] = (kept,)
            else:
                batch = await load(done)
                self._shared.misses += len(batch)
                self._keep(content, plans[done : done + len(batch)], batch)
            done += len(batch)
            yield batch

    async def _load(self, content: str, blob: Blob, info: ImageInfo, plan: ImagePlan) -> ImageData:
        is_worth_it = info.width * info.height >= WORTH_KEEPING_PIXELS
        kept = await self._kept(content, plan) if is_worth_it else None
        if kept is not None:
            return kept
        self._shared.misses += 1
        made = await self.do(Decode(blob, info, plan.width, plan.height, plan.form))
        self._keep(content, (plan,), (made,), is_worth_it)
        return made

    async def _kept(self, content: str, plan: ImagePlan) -> ImageData | None:
        cache = self._shared.cache
        found = await cache.get(self._quota.project, content, plan.key) if cache else None
        if found is None:
            return None
        self._shared.hits += 1
        if isinstance(found, bytes):
            return EncodedImage(f"image/{plan.form}", plan.width, plan.height, found)
        return found

    def _keep(
        self,
        content: str,
        plans: Sequence[ImagePlan],
        batch: Sequence[ImageData],
        is_worth_it: bool = True,
    ) -> None:
        cache = self._shared.cache
        for plan, made in zip(plans, batch, strict=True):
            if not isinstance(made, EncodedImage):
                made.setflags(write=False)
            if cache and is_worth_it:
                kept = made.data if isinstance(made, EncodedImage) else made
                cache.put(self._quota.project, content, plan.key, kept)
