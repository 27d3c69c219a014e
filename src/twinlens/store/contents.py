"""Contents: blobs, and what references them. A blob stays while a record names it, or while it is pinned.

Bytes come first and the record that names them after; in removing, the record goes first. So a crash in
between leaves a blob that nothing names, which is dropped at the next start, and never a record without its
bytes. Files, interactions and whatever else has contents use this alike.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from ..concurrency.locks import uncancelled
from ..domain.errors import TwinlensError
from ..domain.media import Data, Descriptor
from .blobs import Blobs, StoredBlob
from .records import References

DropListener = Callable[[str, frozenset[str]], None]
"""Called with the hash of a content that has lost a reference, and the projects that still have it."""


class Contents:
    """The blobs of one store, `references` to them from records, and pins of this process.

    `parts` is a folder for temporary files. A record that names a blob is written under the blob's
    lock, and nobody drops a blob without checking for records and pins under that lock.
    """

    def __init__(self, references: References, blobs: Blobs, parts: Path) -> None:
        self._references = references
        self._blobs = blobs
        self._parts = parts
        self._pins = Counter[str]()
        self._on_drop: DropListener = lambda _sha256, _projects: None

    def on_drop(self, listener: DropListener) -> None:
        """Call `listener` whenever a content was dropped or has lost a reference."""
        self._on_drop = listener

    async def map(self, sha256: str) -> Data | None:
        """Map a content's bytes rather than copy them; None where they are not here."""
        return await self._blobs.map(sha256)

    async def open(self, sha256: str) -> IO[bytes] | None:
        """Open a content as a real file, for reading; None where it is not here."""
        return await self._blobs.open(sha256)

    async def open_descriptor(self, sha256: str) -> Descriptor | None:
        """Open a content for as long as the descriptor is referenced; None where it is not here."""
        return await self._blobs.open_descriptor(sha256)

    @asynccontextmanager
    async def pinned(self, hashes: Iterable[str]) -> AsyncIterator[None]:
        """Pin these contents until a record names them; those that get none are dropped in the end.

        The caller stores their bytes with `put`, and then writes the record.
        """
        pins = set(hashes)
        self._pins.update(pins)
        try:
            yield
        finally:
            self._pins -= Counter(pins)
            if pins:
                await uncancelled(self._drop_all_unused(pins))

    async def put(self, data: Data, sha256: str) -> None:
        """Store bytes unless they are here, as durably as the store can.

        A crash before a record names them leaves bytes that the cleanup at the next start removes.
        """
        part = self._parts / f"kept-{secrets.token_urlsafe(24)}"
        async with self._blobs.lock(sha256):
            await uncancelled(self._blobs.put(data, sha256, part))

    async def adopt(self, part: Path, sha256: str, record: Callable[[], Awaitable[None]]) -> None:
        """Adopt the synced bytes of `part`, then have `record` write what names them.

        Where either raises, the bytes are dropped unless they are in use elsewhere; `part` stays. A crash
        in between leaves bytes that no record names.
        """
        async with self._blobs.lock(sha256):
            try:
                await self._blobs.adopt(part, sha256)
                await record()
            except BaseException:
                with suppress(TwinlensError):
                    await self._undo(part, sha256)
                raise

    async def drop_unused(self, sha256: str) -> bool:
        """Drop the bytes unless they are pinned or referenced; return whether they were dropped.

        Called for each content of a record after that was removed, when it is certain that it is.
        """
        async with self._blobs.lock(sha256):
            unwanted = await self._unwanted([sha256])
            if unwanted:
                await self._drop(sha256)
            elif sha256 not in self._pins:
                self._on_drop(sha256, await self._references.projects_of(sha256))
            return bool(unwanted)

    async def unused(self) -> AsyncIterator[set[StoredBlob]]:
        """Yield the blobs that are neither pinned nor referenced, some at a time. That may soon change."""
        async for stored in self._blobs.list():
            unwanted = await self._unwanted([blob.sha256 for blob in stored])
            yield {blob for blob in stored if blob.sha256 in unwanted}

    async def clear_unfinished(self) -> None:
        """Remove what a crash left of blobs that were being written; called before anything is."""
        await self._blobs.clear_unfinished()

    async def _unwanted(self, hashes: Iterable[str]) -> set[str]:
        return await self._references.unreferenced(hashes) - self._pins.keys()

    async def _drop_all_unused(self, hashes: Iterable[str]) -> None:
        # What cannot be dropped now is left to the cleanup job.
        with suppress(TwinlensError):
            for sha256 in await self._unwanted(hashes):
                await self.drop_unused(sha256)

    async def _undo(self, part: Path, sha256: str) -> None:
        """Drop a blob whose record could not be written, unless it is in use, under its lock."""
        # More may be written to the part. Who has pinned this content has yet to put its bytes then.
        is_part = await self._blobs.is_part(part, sha256)
        unwanted = self._references.unreferenced([sha256]) if is_part else self._unwanted([sha256])
        if await unwanted:
            await self._drop(sha256)

    async def _drop(self, sha256: str) -> None:
        await self._blobs.drop(sha256)
        self._on_drop(sha256, frozenset())
