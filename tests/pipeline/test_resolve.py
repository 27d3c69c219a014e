"""From what a request names to bytes: where errors point, and how little is held open."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storing import uploads_of
from twinlens.concurrency.pixel_limiter import PixelLimiter
from twinlens.domain.errors import Internal
from twinlens.domain.request import BlobRef, FileRef, Inline, Media
from twinlens.engines.registry import create
from twinlens.engines.router import Engines
from twinlens.fetch.fetcher import Fetcher
from twinlens.fetch.youtube import YouTube
from twinlens.media import is_inspected
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.decoder import Decoder
from twinlens.pipeline.inspection_cache import InspectionCache
from twinlens.pipeline.processing import Processing
from twinlens.pipeline.resolve import resolve
from twinlens.pipeline.services import Services
from twinlens.store.storage import Storage, open_storage
from twinlens.store.uploads import Draft

LARGE = 100_000
"""More than is read rather than mapped."""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = open_storage(tmp_path)
    yield storage
    await storage.close()


@pytest.fixture
async def services(storage: Storage) -> Services:
    pool = WorkerPool(1, 1024, 30.0)
    return Services(
        engines=Engines.single(create("script")),
        files=storage.files,
        contents=storage.contents,
        clock=storage.clock,
        processing=Processing(storage.files, pool, at_once=1, patience_s=1.0),
        inspections=InspectionCache(pool),
        decoder=Decoder(pool, None),
        fetcher=Fetcher(enabled=False, allow=(), max_bytes=1000, timeout_s=1.0),
        youtube=YouTube(enabled=False, allow=(), max_bytes=1000, timeout_s=1.0),
        pixel_limiter=PixelLimiter(50_000_000),
        max_image_pixels=10_000_000,
        max_fetched_bytes=10_000_000,
        work_limit_s=60.0,
    )


async def kept(services: Services, data: bytes, mime_type: str = "image/png") -> BlobRef:
    sha256 = hashlib.sha256(data).hexdigest()
    await services.contents.put(data, sha256)
    return BlobRef(sha256, len(data), mime_type)


async def stored(storage: Storage, data: bytes, mime_type: str = "image/png") -> FileRef:
    async def stream() -> AsyncIterator[bytes]:
        yield data

    uploads = uploads_of(storage, inspected=is_inspected)
    session = await uploads.start(Draft("p", mime_type=mime_type))
    await uploads.receive(session.id, 0, stream())
    return FileRef((await uploads.finish(session.id)).id)


def opened() -> int:
    return len(os.listdir("/dev/fd"))


async def test_inline_media_are_the_field_they_came_in_also_once_they_are_kept(services: Services) -> None:
    source = await kept(services, b"bytes")
    parts = Media(Inline(b"bytes"), "image/png", "input[0]"), Media(source, "image/png", "input[1]")

    blobs = await resolve(parts, "p", services)

    assert [blob.field for blob in blobs] == ["input[0].inline_data", "input[1].inline_data"]
    assert [bytes(blob.data) for blob in blobs] == [b"bytes", b"bytes"]


async def test_media_of_earlier_turns_have_no_fields_of_their_own(services: Services) -> None:
    source = await kept(services, b"bytes")

    (blob,) = await resolve((Media(source, None, "previous_interaction_id"),), "p", services)

    assert blob.field == "previous_interaction_id"


async def test_many_small_media_take_no_descriptor_each(services: Services) -> None:
    sources = [await kept(services, b"%d" % number) for number in range(20)]
    sources += [await kept(services, b"%d" % number, "image/jpeg") for number in range(20)]
    before = opened()

    blobs = await resolve(tuple(Media(source, None, "f") for source in sources), "p", services)

    assert len(blobs) == 40
    assert opened() - before < 10


async def test_what_is_named_many_times_is_opened_once(services: Services, storage: Storage) -> None:
    again: tuple[BlobRef | FileRef, ...] = (
        await kept(services, bytes(LARGE)),
        await stored(storage, bytes(LARGE), "text/plain"),
    )
    before = opened()

    blobs = await resolve(
        tuple(Media(source, None, f"parts[{n}]") for n in range(20) for source in again), "p", services
    )

    assert opened() - before < 10
    assert [blob.field for blob in blobs[1::2]] == [f"parts[{n}]" for n in range(20)]
    assert len({id(blob.data) for blob in blobs}) == 2


async def test_only_what_is_no_image_is_in_an_open_file(services: Services, storage: Storage) -> None:
    sources: list[BlobRef | FileRef] = [
        await kept(services, b"1"),
        await kept(services, b"2", "text/plain"),
        await stored(storage, b"3"),
        await stored(storage, b"4", "text/plain"),
    ]

    blobs = await resolve(tuple(Media(source, None, "f") for source in sources), "p", services)

    assert [blob.file is None for blob in blobs] == [True, False, True, False]
    assert [os.pread(blob.file.fileno(), 9, 0) for blob in blobs if blob.file] == [b"2", b"4"]


async def test_kept_bytes_that_are_gone_are_our_fault(services: Services) -> None:
    with pytest.raises(Internal):
        await resolve((Media(BlobRef("0" * 64, 1, "image/png"), None, "input[0]"),), "p", services)
