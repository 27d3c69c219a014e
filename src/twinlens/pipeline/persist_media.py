"""The media of an interaction are kept by their content: later turns need nobody to send them again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from .. import media
from ..concurrency.tasks import gather
from ..domain.media import Blob
from ..domain.request import BlobRef, Inline, Media, Request
from ..store.files import FileStore
from .content_hash import sha256_of
from .planning import PlannedMedia, PlannedText


def kept_of(planned: Sequence[PlannedMedia]) -> tuple[BlobRef, ...]:
    """Say what is to be kept of media that were planned by their SHA-256."""
    return tuple(BlobRef(item.blob.digest or "", len(item.blob.data), _type_of(item)) for item in planned)


async def keep(planned: Sequence[PlannedMedia], files: FileStore) -> None:
    """Have the bytes of planned media in the store; to stay, they must be pinned or named by a record."""
    await _keep([item.blob for item in planned], files)


@asynccontextmanager
async def keeping_inline(request: Request, files: FileStore) -> AsyncIterator[tuple[BlobRef | None, ...]]:
    """Have what came in the request itself in the store; tell what is kept of each medium so far.

    This is for work that begins later: the request can be read again without the bytes that came with it.
    """
    blobs = {i: await _named(part) for i, part in enumerate(request.media) if isinstance(part.source, Inline)}
    async with files.keeping(blob.digest or "" for blob in blobs.values()):
        await _keep(blobs.values(), files)
        yield tuple(_kept(blobs.get(i)) for i in range(len(request.media)))


async def _keep(blobs: Iterable[Blob], files: FileStore) -> None:
    contents = {blob.digest or "": blob.data for blob in blobs}
    await gather(files.keep_bytes(data, name) for name, data in contents.items())


def _type_of(item: PlannedMedia) -> str:
    return item.mime_type if isinstance(item, PlannedText) else item.info.mime_type


async def _named(part: Media) -> Blob:
    assert isinstance(part.source, Inline)
    blob = Blob(part.source.data, part.mime_type, f"{part.field}.inline_data")
    _, mime_type = media.labelled(blob)
    return replace(blob, mime_type=mime_type, digest=await sha256_of(blob.data))


def _kept(blob: Blob | None) -> BlobRef | None:
    return BlobRef(blob.digest or "", len(blob.data), blob.mime_type or "") if blob else None
