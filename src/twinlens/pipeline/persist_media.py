"""Stores the media of an interaction by their content: later turns need not send them again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from .. import media
from ..concurrency.tasks import gather
from ..domain.media import Blob
from ..domain.request import BlobRef, Inline, Media, Request
from ..store.contents import Contents
from .content_hash import sha256_of
from .planning import PlannedMedia, PlannedText


def blob_refs_of(planned: Sequence[PlannedMedia]) -> tuple[BlobRef, ...]:
    """Return the references to media that were planned by their SHA-256."""
    return tuple(BlobRef(item.blob.digest or "", len(item.blob.data), _type_of(item)) for item in planned)


async def persist(planned: Sequence[PlannedMedia], contents: Contents) -> None:
    """Store the bytes of planned media; to stay, they must be pinned or referenced by a record."""
    await _keep([item.blob for item in planned], contents)


@asynccontextmanager
async def persisting_inline(
    request: Request, contents: Contents
) -> AsyncIterator[tuple[BlobRef | None, ...]]:
    """Store the inline media of a request and pin them; yield a reference for each medium that is inline.

    This is for work that begins later: the request can be resolved without the bytes that came with it.
    """
    blobs = {i: await _named(part) for i, part in enumerate(request.media) if isinstance(part.source, Inline)}
    async with contents.pinned(blob.digest or "" for blob in blobs.values()):
        await _keep(blobs.values(), contents)
        yield tuple(_kept(blobs.get(i)) for i in range(len(request.media)))


async def _keep(blobs: Iterable[Blob], contents: Contents) -> None:
    found = {blob.digest or "": blob.data for blob in blobs}
    await gather(contents.put(data, sha256) for sha256, data in found.items())


def _type_of(item: PlannedMedia) -> str:
    return item.mime_type if isinstance(item, PlannedText) else item.info.mime_type


async def _named(part: Media) -> Blob:
    assert isinstance(part.source, Inline)
    blob = Blob(part.source.data, part.mime_type, f"{part.field}.inline_data")
    _, mime_type = media.labelled(blob)
    return replace(blob, mime_type=mime_type, digest=await sha256_of(blob.data))


def _kept(blob: Blob | None) -> BlobRef | None:
    return BlobRef(blob.digest or "", len(blob.data), blob.mime_type or "") if blob else None
