"""Looks into recordings, PDFs and texts, with a real pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import clips
from twinlens.domain.errors import BadMedia, Unavailable
from twinlens.domain.media import Blob, VideoInfo
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.jobs import to_file
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline import inspection_cache
from twinlens.pipeline.inspection_cache import InspectionCache

FILM = clips.video()


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 1024, 30)
    await pool.start()
    yield pool
    await pool.stop()


WORK = ComputeQuota("p")


def blob(data: bytes, digest: str = "a", mime_type: str = "video/mp4", field: str = "parts[0]") -> Blob:
    return to_file(Blob(data, mime_type, field, digest))


async def test_what_was_looked_into_is_remembered(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)
    first = await seen.info(blob(FILM), "video/mp4", WORK)
    await pool.stop()

    assert await seen.info(blob(FILM), "video/mp4", WORK) == first
    assert first == VideoInfo("video/mp4", 64, 48, timedelta(seconds=2), has_sound=False)
    with pytest.raises(Unavailable):
        await seen.info(blob(FILM, "b"), "video/mp4", WORK)


async def test_those_who_ask_at_once_are_told_of_their_own_field(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)

    failures = await asyncio.gather(
        *(seen.info(blob(b"none", field=field), "video/mp4", WORK) for field in ("parts[0]", "parts[1]")),
        return_exceptions=True,
    )

    fields = [error.violations[0].field for error in failures if isinstance(error, BadMedia)]
    assert fields == ["parts[0]", "parts[1]"]


async def test_the_same_bytes_under_another_label_are_another_question(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)
    await seen.info(blob(FILM), "video/mp4", WORK)

    with pytest.raises(BadMedia, match="The document has no pages"):
        await seen.info(blob(FILM, mime_type="application/pdf"), "application/pdf", WORK)


async def test_a_short_text_is_remembered_and_a_long_one_is_not(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)
    short, long = (
        blob(b"short", "s", "text/plain"),
        blob(b"x" * (inspection_cache.REMEMBERED_CHARS + 1), "l", "text/plain"),
    )
    await seen.text(short, "text/plain", WORK)
    await seen.text(long, "text/plain", WORK)
    await pool.stop()

    assert await seen.text(short, "text/plain", WORK) == "short"
    with pytest.raises(Unavailable):
        await seen.text(long, "text/plain", WORK)


async def test_a_project_does_not_see_what_another_has_shown(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)
    await seen.text(blob(b"short", "s", "text/plain"), "text/plain", WORK)
    await pool.stop()

    with pytest.raises(Unavailable):
        await seen.text(blob(b"short", "s", "text/plain"), "text/plain", ComputeQuota("another"))


async def test_only_so_many_are_remembered(pool: WorkerPool) -> None:
    seen = InspectionCache(pool)
    for number in range(inspection_cache.REMEMBERED + 1):
        await seen.text(blob(b"t", str(number), "text/plain"), "text/plain", WORK)
    await pool.stop()

    assert await seen.text(blob(b"t", "1", "text/plain"), "text/plain", WORK) == "t"
    with pytest.raises(Unavailable):
        await seen.text(blob(b"t", "0", "text/plain"), "text/plain", WORK)
