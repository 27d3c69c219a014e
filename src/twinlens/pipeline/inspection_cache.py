"""The facts of recordings and PDFs, and the text of texts: inspected once, in a worker, then cached."""

from __future__ import annotations

from typing import Any, TypeVar

from ..concurrency.lru import LRU
from ..domain.media import Blob, Inspected
from ..media.documents import PlainText
from ..media.inspection import Inspect
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.jobs import Job
from ..media.worker.pool import WorkerPool
from .content_hash import named_for
from .media_flight import MediaFlight

T = TypeVar("T")

REMEMBERED = 256
"""How many inspections are cached; that of a PDF of a thousand pages takes some 100 kB."""

REMEMBERED_CHARS = 100_000
"""Longer texts are not cached."""


class InspectionCache:
    """Inspects blobs that are stored in a file, by their content; each project for itself.

    Used from one event loop.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._flights: MediaFlight[Any] = MediaFlight()
        self._seen: LRU[str, Any] = LRU(REMEMBERED)

    async def info(self, blob: Blob, mime_type: str, quota: ComputeQuota) -> Inspected:
        """Return a recording's duration and size, or a PDF's pages."""
        return await self._found(f"{mime_type} {blob.digest}", Inspect(blob, mime_type), blob.field, quota)

    async def text(self, blob: Blob, mime_type: str, quota: ComputeQuota) -> str:
        """Return a text file's text."""
        # What the label says of the encoding matters, so all of it counts.
        name = f"{mime_type} {blob.mime_type} {blob.digest}"
        return await self._found(name, PlainText(blob, blob.mime_type or mime_type), blob.field, quota)

    async def _found(self, name: str, job: Job[T], field: str, quota: ComputeQuota) -> T:
        name = named_for(quota.project, name)
        found: T | None = self._seen.get(name)
        if found is not None:
            return found
        found = await self._flights.do_for_field(name, lambda: self._pool.do(job, quota), field, quota)
        if not isinstance(found, str) or len(found) <= REMEMBERED_CHARS:
            self._seen.put(name, found)
        return found
