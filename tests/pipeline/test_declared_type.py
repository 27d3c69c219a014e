"""What a medium was said to be is held against what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

import clips
import images
from twinlens.domain.errors import BadMedia
from twinlens.domain.media import Blob
from twinlens.domain.request import Inline, Media, MediaKind, Request, Turn
from twinlens.engines.router import Engines
from twinlens.engines.script import ScriptEngine
from twinlens.media.worker.compute_quota import ComputeQuota
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.inspection_cache import InspectionCache
from twinlens.pipeline.planning import PlannedMedia, Planner

IMAGE, VIDEO, PDF = images.make("png"), clips.video(), clips.pdf()
SOUND = clips.sound("wav", np.zeros((1, 8000)), 8000)
MUTE = clips.audio("mkv", codec="flac")
"""Sound in a container that is called a video."""
TEXT = b"hello world"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inspections() -> AsyncIterator[InspectionCache]:
    pool = WorkerPool(1, 1024, 30.0)
    await pool.start()
    yield InspectionCache(pool)
    await pool.stop()


in_the_module = pytest.mark.asyncio(loop_scope="module")


async def planned(
    inspections: InspectionCache, data: bytes, kind: MediaKind | None, mime_type: str | None
) -> PlannedMedia:
    part = Media(Inline(data), mime_type, "input[0]", kind=kind)
    request = Request("gemini-3-flash", (Turn("user", (part,)),))
    served = Engines.single(ScriptEngine(ScriptEngine.Options())).get(request.model)
    planner = Planner(request, served, inspections, ComputeQuota("p"), 10_000_000)
    (item,) = await planner.plan([Blob(data, mime_type, "input[0].inline_data")])
    return item


@in_the_module
@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        (IMAGE, "image", "PlannedImage"),
        (VIDEO, "video", "PlannedVideo"),
        (MUTE, "video", "PlannedSound"),
        (MUTE, "audio", "PlannedSound"),
        (SOUND, "audio", "PlannedSound"),
        (SOUND, "video", "PlannedSound"),
        (PDF, "document", "PlannedDocument"),
        (TEXT, "document", "PlannedText"),
        (TEXT, None, "PlannedText"),
    ],
)
async def test_what_is_what_it_was_said_to_be_is_planned(
    inspections: InspectionCache, data: bytes, kind: MediaKind | None, found: str
) -> None:
    assert type(await planned(inspections, data, kind, None)).__name__ == found


@in_the_module
@pytest.mark.parametrize(
    ("data", "mime_type", "kind", "why"),
    [
        (TEXT, None, "image", "This is text, not an image: send it as type document."),
        (IMAGE, None, "video", "This is an image, not a video: send it as type image."),
        (
            IMAGE,
            "image/png",
            "document",
            "By its mime_type this is an image, not a document: send it as type image.",
        ),
        (VIDEO, None, "image", "This is a video, not an image: send it as type video."),
        (VIDEO, None, "audio", "This is a video, not audio: send it as type video."),
        (
            SOUND,
            "application/octet-stream",
            "document",
            "This is audio, not a document: send it as type audio.",
        ),
        (PDF, None, "audio", "This is a PDF, not audio: send it as type document."),
        (b"%PDF-1.4 but broken", None, "image", "This is a PDF, not an image: send it as type document."),
        (
            IMAGE,
            "application/json",
            "image",
            "By its mime_type this is text, not an image: send it as type document.",
        ),
    ],
)
async def test_what_is_something_else_is_refused_with_what_it_is(
    inspections: InspectionCache, data: bytes, mime_type: str | None, kind: MediaKind, why: str
) -> None:
    with pytest.raises(BadMedia) as refusal:
        await planned(inspections, data, kind, mime_type)

    assert refusal.value.message == why
    assert [one.field for one in refusal.value.violations] == ["input[0].inline_data"]
