"""What each medium of a request costs, and how the engine will see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
import pytest_asyncio

import clips
import images
from twinlens.domain.clip import Clip
from twinlens.domain.errors import InvalidArgument
from twinlens.domain.media import Blob, Modality
from twinlens.domain.request import Inline, Level, Media, Request, Turn
from twinlens.engines.registry import create
from twinlens.engines.router import Engines
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.inspection_cache import InspectionCache
from twinlens.pipeline.planning import PlannedMedia, Planner, costs_of, delimiters_of, pixels_of

IMAGE, VIDEO, PDF = images.make("png", 640, 480), clips.video(seconds=2), clips.pdf()
SOUND = clips.sound("wav", np.zeros((1, 16000)), 8000)

in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inspections() -> AsyncIterator[InspectionCache]:
    pool = WorkerPool(1, 1024, 30.0)
    await pool.start()
    yield InspectionCache(pool)
    await pool.stop()


async def planned(
    inspections: InspectionCache,
    *data: bytes,
    model: str = "gemini-3-flash",
    resolution: Level = "UNSPECIFIED",
    clip: Clip | None = None,
) -> Sequence[PlannedMedia]:
    parts = tuple(
        Media(Inline(one), None, f"contents[0].parts[{i}]", clip=clip) for i, one in enumerate(data)
    )
    request = Request(model, (Turn("user", parts),), resolution=resolution)
    served = Engines.single(create("script")).get(model)
    planner = Planner(request, served, inspections, ComputeQuota("p"), 10_000_000)
    return await planner.plan([Blob(one, None, part.field) for one, part in zip(data, parts, strict=True)])


@in_the_module
@pytest.mark.parametrize(
    ("data", "costs"),
    [
        (IMAGE, {Modality.IMAGE: 1120}),
        (VIDEO, {Modality.VIDEO: 2 * 70}),
        (SOUND, {Modality.AUDIO: 50}),
        (PDF, {Modality.IMAGE: 3 * 560}),
        (b"hello world", {Modality.TEXT: 3}),
    ],
    ids=["image", "video", "sound", "pdf", "text"],
)
async def test_each_medium_is_billed_as_documented(
    inspections: InspectionCache, data: bytes, costs: dict[Modality, int]
) -> None:
    found = costs_of(await planned(inspections, data))

    assert {kind: count for kind, count in found.items() if count} == costs


@in_the_module
async def test_media_keep_their_order_and_their_costs_add_up(inspections: InspectionCache) -> None:
    items = await planned(inspections, PDF, IMAGE, b"words", IMAGE)

    assert [type(item).__name__ for item in items] == [
        "PlannedDocument",
        "PlannedImage",
        "PlannedText",
        "PlannedImage",
    ]
    assert costs_of(items)[Modality.IMAGE] == 3 * 560 + 2 * 1120


@in_the_module
async def test_the_budget_decides_how_many_pixels_the_engine_sees(inspections: InspectionCache) -> None:
    (low,) = await planned(inspections, images.make("png", 2000, 1500), resolution="LOW")
    (high,) = await planned(inspections, images.make("png", 2000, 1500), resolution="HIGH")

    assert pixels_of([low]) < pixels_of([high])
    assert low.engine_tokens <= costs_of([low])[Modality.IMAGE]


@in_the_module
async def test_a_clip_is_billed_for_what_it_shows(inspections: InspectionCache) -> None:
    (item,) = await planned(inspections, VIDEO, clip=Clip(start=0.0, end=1.0, fps=4.0))

    assert costs_of([item])[Modality.VIDEO] == 4 * 70


@in_the_module
async def test_delimiters_are_billed_where_the_family_has_them(inspections: InspectionCache) -> None:
    assert delimiters_of(await planned(inspections, IMAGE)) == 0
    assert delimiters_of(await planned(inspections, VIDEO, model="gemini-2.5-flash")) == 2 * 2


@in_the_module
async def test_more_videos_than_the_family_takes_are_refused(inspections: InspectionCache) -> None:
    with pytest.raises(InvalidArgument, match="Please use at most"):
        await planned(inspections, *[VIDEO] * 11)


@in_the_module
async def test_what_honest_media_take_of_the_decoders_is_allowed_for(inspections: InspectionCache) -> None:
    for data in (IMAGE, VIDEO, SOUND, PDF):
        (item,) = await planned(inspections, data)
        assert item.work_s > 0
