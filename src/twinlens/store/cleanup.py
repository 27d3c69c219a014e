"""The cleanup job: removes what has expired, abandoned uploads, and bytes that no record names."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from .blobs import StoredBlob
from .cache import PixelCache
from .contents import Contents
from .files import LIFETIME, FileStore
from .interactions import InteractionStore
from .uploads import Uploads

log = logging.getLogger(__name__)

BATCH = 100
"""Rows in one transaction: requests wait no longer than that takes. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What went: records of each kind, and blobs; `bytes` are those that the store has back."""

    files: int = 0
    uploads: int = 0
    blobs: int = 0
    bytes: int = 0
    interactions: int = 0

    def __add__(self, other: CleanupReport) -> CleanupReport:
        return CleanupReport(
            self.files + other.files,
            self.uploads + other.uploads,
            self.blobs + other.blobs,
            self.bytes + other.bytes,
            self.interactions + other.interactions,
        )


class CleanupJob:
    """Cleans up files, uploads, interactions, contents, and cached images that were not used for long."""

    def __init__(
        self,
        files: FileStore,
        uploads: Uploads,
        contents: Contents,
        cache: PixelCache | None = None,
        interactions: InteractionStore | None = None,
    ) -> None:
        self._files = files
        self._uploads = uploads
        self._contents = contents
        self._cache = cache
        self._interactions = interactions

    async def sweep(self) -> CleanupReport:
        """Remove what has expired, and bytes that no record names. Requests may run meanwhile."""
        if self._cache:
            await self._cache.expire(LIFETIME.total_seconds())
        records = (
            await self._expired_files() + await self._expired_uploads() + await self._expired_interactions()
        )
        return records + await self._unnamed_blobs()

    async def recover(self) -> CleanupReport:
        """Remove what a crash left; called once, before anything is served."""
        await self._contents.clear_unfinished()
        parts = await self._uploads.remove_orphans()
        return (
            CleanupReport(uploads=len(parts), bytes=sum(part.size for part in parts))
            + await self._unnamed_blobs()
        )

    async def run(self, interval_s: float) -> None:
        """Clean up for ever. Where one pass fails, the next one comes all the same."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                swept = await self.sweep()
            except Exception:
                log.exception("Sweeping the data folder failed; the next try comes in %s s.", interval_s)
            else:
                log.info("Swept: %s", swept)

    async def _expired_files(self) -> CleanupReport:
        swept = CleanupReport()
        while removed := await self._files.remove_expired(BATCH):
            blobs = {StoredBlob(file.sha256, file.size) for file in removed}
            swept += CleanupReport(files=len(removed)) + await self._drop(blobs)
        return swept

    async def _expired_uploads(self) -> CleanupReport:
        swept = CleanupReport()
        while removed := await self._uploads.remove_expired(BATCH):
            freed = sum(upload.received for upload in removed if upload.state == "active")
            swept += CleanupReport(uploads=len(removed), bytes=freed)
        return swept

    async def _expired_interactions(self) -> CleanupReport:
        swept = CleanupReport()
        while self._interactions and (cleared := await self._interactions.remove_expired(BATCH)):
            swept += CleanupReport(interactions=cleared.removed) + await self._drop(cleared.blobs)
        return swept

    async def _unnamed_blobs(self) -> CleanupReport:
        swept = CleanupReport()
        async for unused in self._contents.unused():
            swept += await self._drop(unused)
        return swept

    async def _drop(self, blobs: set[StoredBlob]) -> CleanupReport:
        swept = CleanupReport()
        for blob in blobs:
            if await self._contents.drop_unused(blob.sha256):
                swept += CleanupReport(blobs=1, bytes=blob.size)
        return swept
