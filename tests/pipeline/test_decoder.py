"""Pixels by content and size: decoded once, kept, and shared, with a real pool and a real cache."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import images
from twinlens import media
from twinlens.concurrency.off_loop import ON_LOOP_BYTES
from twinlens.domain.budget import Budget
from twinlens.domain.engine import MediaForms
from twinlens.domain.engine_media import StillImage
from twinlens.domain.errors import BadMedia, Unavailable
from twinlens.domain.geometry import Fit
from twinlens.domain.media import Blob, ImageInfo, Modality, Pixels
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.decoder import Decoder
from twinlens.pipeline.engine_media import EngineMedia
from twinlens.pipeline.planning import PlannedImage
from twinlens.store.cache import PixelCache

L16 = "audio/l16;rate={}"

PHOTO = images.encode(images.quarters(400, 300), "jpeg")
SMALL = images.encode(images.quarters(64, 48), "png")
BROKEN = PHOTO[:-40]
SLOW = images.encode(Image.new("P", (9000, 9000)), "gif")
"""Takes half a second to decode."""


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1, 1024, 30)
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[PixelCache]:
    cache = PixelCache(tmp_path, 10_000_000)
    yield cache
    await cache.close()


def blob(data: bytes, field: str = "contents[0].parts[0]", digest: str | None = None) -> Blob:
    return Blob(data, None, field, digest)


async def ask(
    decoded: Decoder, asked: Blob, width: int = 80, height: int = 60, project: str = "p"
) -> tuple[Pixels, str]:
    """Have an image made as an engine does; return its pixels, and the name it goes by."""
    info: ImageInfo = media.probe(asked, 100_000_000)
    planned = PlannedImage(asked, info, Budget(258, 258, Modality.IMAGE), Fit(width, height, 5))
    makes = EngineMedia(decoded.for_request(ComputeQuota(project)), MediaForms())
    (image,) = await makes.of([planned])
    assert isinstance(image, StillImage)
    loaded = await image.load()
    return loaded.pixels, loaded.digest


async def begun(task: asyncio.Task[tuple[Pixels, str]], decoded: Decoder, seen: int) -> None:
    """Wait until so many requests have been counted, and the task is on its way."""
    async with asyncio.timeout(120):
        while decoded.hits + decoded.joined + decoded.misses < seen:  # noqa: ASYNC110  counts tell nobody
            await asyncio.sleep(0)
    assert not task.done()


def counts(decoded: Decoder) -> tuple[int, int, int]:
    return decoded.hits, decoded.joined, decoded.misses


async def test_asking_again_decodes_nothing(pool: WorkerPool, cache: PixelCache) -> None:
    decoded = Decoder(pool, cache)
    first, name = await ask(decoded, blob(PHOTO))
    await pool.stop()

    again, same_name = await ask(decoded, blob(PHOTO))

    assert (again == first).all()
    assert name == same_name
    assert counts(decoded) == (1, 0, 1)


async def test_what_was_decoded_survives_a_restart(pool: WorkerPool, tmp_path: Path) -> None:
    before = PixelCache(tmp_path, 10_000_000)
    first, _ = await ask(Decoder(pool, before), blob(PHOTO))
    await before.close()
    await pool.stop()

    again, _ = await ask(Decoder(pool, PixelCache(tmp_path, 10_000_000)), blob(PHOTO))

    assert (again == first).all()


async def test_another_size_is_another_picture(pool: WorkerPool, cache: PixelCache) -> None:
    decoded = Decoder(pool, cache)

    large, name = await ask(decoded, blob(PHOTO), 80, 60)
    small, other = await ask(decoded, blob(PHOTO), 40, 30)

    assert (large.shape, small.shape) == ((60, 80, 3), (30, 40, 3))
    assert name != other
    assert counts(decoded) == (0, 0, 2)


@pytest.mark.parametrize("data", [SMALL, PHOTO + bytes(ON_LOOP_BYTES)], ids=["small", "large"])
async def test_content_without_a_name_is_named_by_its_bytes(pool: WorkerPool, data: bytes) -> None:
    decoded = Decoder(pool, None)

    _, name = await ask(decoded, blob(data))

    assert name == f"p/{media.digest(data)}-80x60"


async def test_a_name_that_is_known_is_taken(pool: WorkerPool) -> None:
    _, name = await ask(Decoder(pool, None), blob(PHOTO, digest="abc"))

    assert name == "p/abc-80x60"


async def test_without_a_cache_all_is_decoded(pool: WorkerPool) -> None:
    decoded = Decoder(pool, None)

    await ask(decoded, blob(PHOTO))
    await ask(decoded, blob(PHOTO))

    assert counts(decoded) == (0, 0, 2)


async def test_small_pictures_are_not_kept(pool: WorkerPool, cache: PixelCache) -> None:
    decoded = Decoder(pool, cache)

    await ask(decoded, blob(SMALL))
    await ask(decoded, blob(SMALL))

    assert counts(decoded) == (0, 0, 2)
    assert (cache.hits, cache.misses) == (0, 0)


async def test_the_same_asked_for_at_once_is_decoded_once_and_shared(
    pool: WorkerPool, cache: PixelCache
) -> None:
    decoded = Decoder(pool, cache)

    (first, _), (second, _), (other, _) = await asyncio.gather(
        ask(decoded, blob(PHOTO)), ask(decoded, blob(PHOTO, "elsewhere")), ask(decoded, blob(PHOTO), 8, 6)
    )

    assert first is second
    assert first is not other
    assert counts(decoded) == (0, 1, 2)


async def test_projects_share_neither_pixels_nor_decodes_nor_names(
    pool: WorkerPool, cache: PixelCache
) -> None:
    decoded = Decoder(pool, cache)

    (_, mine), (_, theirs) = await asyncio.gather(
        ask(decoded, blob(PHOTO), project="mine"), ask(decoded, blob(PHOTO), project="theirs")
    )
    _, late = await ask(decoded, blob(PHOTO), project="late")

    assert len({mine, theirs, late}) == 3
    assert counts(decoded) == (0, 0, 3)


async def test_the_pixels_go_with_the_last_file_of_the_project(
    pool: WorkerPool, cache: PixelCache, tmp_path: Path
) -> None:
    decoded, name = Decoder(pool, cache), hashlib.sha256(PHOTO).hexdigest()
    for project in ("mine", "theirs"):
        await ask(decoded, blob(PHOTO, digest=name), project=project)

    cache.forget(name, {"theirs"})
    await cache.close()
    decoded = Decoder(pool, PixelCache(tmp_path, 10_000_000))
    for project in ("mine", "theirs"):
        await ask(decoded, blob(PHOTO, digest=name), project=project)

    assert counts(decoded) == (1, 0, 1)


async def test_one_whose_own_work_is_not_over_does_not_suffer_from_another_whose_is(pool: WorkerPool) -> None:
    decoded, asked = Decoder(pool, None), blob(images.many_scans(90, 3000, 2000))
    info = media.probe(asked, 100_000_000)
    poor, rich = (decoded.for_request(ComputeQuota("p", limit_s)) for limit_s in (0.01, 100))

    failed, shown = await asyncio.gather(
        poor.image(asked, info, 80, 60), rich.image(asked, info, 80, 60), return_exceptions=True
    )

    assert isinstance(failed, BadMedia)
    assert "computing time" in failed.message
    assert isinstance(shown, np.ndarray)
    assert shown.shape == (60, 80, 3)


@pytest.mark.parametrize("kept", [False, True])
async def test_pixels_cannot_be_written_to(pool: WorkerPool, cache: PixelCache, kept: bool) -> None:
    decoded = Decoder(pool, cache)
    if kept:
        await ask(decoded, blob(PHOTO))

    pixels, _ = await ask(decoded, blob(PHOTO))

    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


async def test_each_caller_is_told_of_its_own_field(pool: WorkerPool) -> None:
    decoded = Decoder(pool, None)

    failures = await asyncio.gather(
        ask(decoded, blob(BROKEN, "a")), ask(decoded, blob(BROKEN, "b")), return_exceptions=True
    )

    assert all(isinstance(failure, BadMedia) for failure in failures)
    assert [failure.violations[0].field for failure in failures if isinstance(failure, BadMedia)] == [
        "a",
        "b",
    ]
    assert counts(decoded) == (0, 1, 1)


async def test_a_failure_is_not_remembered(pool: WorkerPool, cache: PixelCache) -> None:
    decoded = Decoder(pool, cache)

    for _ in range(2):
        with pytest.raises(BadMedia):
            await ask(decoded, blob(BROKEN))

    assert counts(decoded) == (0, 0, 2)
    assert cache.entries == 0


async def test_other_failures_pass_through(pool: WorkerPool) -> None:
    await pool.stop()

    with pytest.raises(Unavailable):
        await ask(Decoder(pool, None), blob(PHOTO))


@pytest.mark.parametrize("leaver", [0, 1])
async def test_one_that_goes_away_takes_nothing_from_another(pool: WorkerPool, leaver: int) -> None:
    decoded = Decoder(pool, None)
    tasks = [asyncio.create_task(ask(decoded, blob(SLOW))) for _ in range(2)]
    await begun(tasks[0], decoded, 2)

    tasks[leaver].cancel()

    pixels, _ = await tasks[1 - leaver]
    assert pixels.shape == (60, 80, 3)
    assert tasks[leaver].cancelled()
    assert counts(decoded) == (0, 1, 1)


async def test_when_all_have_gone_the_next_begins_anew(pool: WorkerPool) -> None:
    decoded = Decoder(pool, None)
    gone = asyncio.create_task(ask(decoded, blob(SLOW)))
    await begun(gone, decoded, 1)
    gone.cancel()
    await asyncio.wait([gone])

    pixels, _ = await ask(decoded, blob(SLOW))

    assert pixels.shape == (60, 80, 3)
    assert counts(decoded) == (0, 0, 2)


async def test_a_failure_that_nobody_waits_for_is_quiet(
    pool: WorkerPool, caplog: pytest.LogCaptureFixture
) -> None:
    decoded = Decoder(pool, None)
    gone = asyncio.create_task(ask(decoded, blob(BROKEN)))
    await begun(gone, decoded, 1)

    gone.cancel()
    await asyncio.wait([gone])
    await ask(decoded, blob(SMALL))

    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_the_same_samples_have_another_name_at_another_rate(pool: WorkerPool) -> None:
    request = Decoder(pool, None).for_request(ComputeQuota("p"))
    blobs = [
        Blob(b"", label, "contents[0]", "d")
        for label in (None, "audio/wav", L16.format(8000), L16.format(16000))
    ]

    names = [request.name(one) for one in blobs]

    assert names[0] == names[1] == "p/d"
    assert len(set(names)) == 3
