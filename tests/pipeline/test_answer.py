"""The road of a request, with a real decoder pool and an engine that remembers what it was given."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from twinlens.domain.answer import Answer, fold
from twinlens.domain.engine import Capabilities, EngineRequest, Event, Finished, Text, Thought
from twinlens.domain.errors import BadMedia, InvalidArgument, PermissionDenied
from twinlens.domain.media import Image, Modality
from twinlens.domain.request import (
    Inline,
    Media,
    Request,
    Resolution,
    Sampling,
    Stored,
    Structured,
    Thinking,
    Turn,
)
from twinlens.domain.request import Text as TextPart
from twinlens.engines.pool import Engines
from twinlens.media.worker import DecodePool
from twinlens.pipeline.answer import answer, plan
from twinlens.pipeline.decoded import Decoded
from twinlens.pipeline.fetch import Fetcher
from twinlens.pipeline.looks import Looks
from twinlens.pipeline.processing import Processing
from twinlens.pipeline.room import Room
from twinlens.pipeline.services import Services
from twinlens.pipeline.youtube import YouTube
from twinlens.store.files import FileStore


class Remembering:
    """An engine that keeps every request and whether its answer was closed."""

    capabilities = Capabilities(name="remembering", model="memory", geometry="area32", thinks=True)

    def __init__(self) -> None:
        self.asked: list[EngineRequest] = []
        self.closed = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def count_text(self, text: str) -> int:
        return len(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        self.asked.append(request)
        try:
            yield Thought("hm")
            yield Text("yes")
            yield Finished()
        finally:
            self.closed += 1


@pytest.fixture
def engine() -> Remembering:
    return Remembering()


@pytest.fixture
async def services(engine: Remembering, tmp_path: Path) -> AsyncIterator[Services]:
    pool = DecodePool(1, 1024, 30.0)
    engines = Engines(engine)
    files = FileStore(tmp_path)
    await pool.start()
    engines.start()
    yield Services(
        engines=engines,
        files=files,
        processing=Processing(files, pool, looks=1, patience_s=1.0),
        looks=Looks(pool),
        decoded=Decoded(pool, None),
        fetcher=Fetcher(enabled=False, allow=(), max_bytes=1000, timeout_s=1.0),
        youtube=YouTube(enabled=False, allow=(), max_bytes=1000, timeout_s=1.0),
        room=Room(50_000_000),
        max_image_pixels=10_000_000,
        max_fetched_bytes=10_000_000,
    )
    await engines.stop()
    await pool.stop()
    await files.close()


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 10, 10)) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def picture(data: bytes, resolution: Resolution | None = None, number: int = 0) -> Media:
    return Media(Inline(data), "image/png", f"contents[0].parts[{number}]", resolution)


def request(*parts: Media | TextPart | Structured, **rest: object) -> Request:
    return Request(model="gemini-3-flash-preview", turns=(Turn("user", parts),), **rest)  # type: ignore[arg-type]


async def whole(asked: Request, services: Services) -> Answer:
    served = services.engines.get(asked.model)
    planned = await plan(asked, served, "project", services)
    return fold([piece async for piece in answer(planned, services)])


async def test_the_engine_sees_an_image_of_the_size_that_the_budget_pays_for(
    services: Services, engine: Remembering
) -> None:
    await whole(request(picture(png(2000, 1000), Resolution("LOW"))), services)

    (image,) = engine.asked[0].images
    assert 0.97 * 280 * 1024 <= image.width * image.height <= 280 * 1024
    assert (image.source_width, image.source_height) == (2000, 1000)
    assert np.abs(image.pixels.reshape(-1, 3).mean(axis=0) - (200, 10, 10)).max() < 2


async def test_two_parts_have_each_their_own_budget(services: Services, engine: Remembering) -> None:
    data = png(2000, 1000)

    answered = await whole(
        request(picture(data, Resolution("LOW")), picture(data, Resolution("HIGH"), number=1)), services
    )

    low, high = engine.asked[0].images
    assert low.width * low.height * 3.9 < high.width * high.height <= 1120 * 1024
    assert answered.usage.prompt[Modality.IMAGE] == 280 + 1120
    assert low.digest != high.digest


async def test_the_same_picture_under_the_same_plan_has_the_same_digest(
    services: Services, engine: Remembering
) -> None:
    data = png(40, 30)

    await whole(request(picture(data), picture(data, number=1), picture(png(40, 31), number=2)), services)

    first, second, other = engine.asked[0].images
    assert first.digest == second.digest != other.digest


async def test_pictures_stand_where_their_parts_stood(services: Services, engine: Remembering) -> None:
    await whole(request(TextPart("a"), picture(png(8, 8)), TextPart("b"), picture(png(9, 9))), services)

    kinds = [s.width if isinstance(s, Image) else s for s in engine.asked[0].turns[0].segments]
    assert kinds == ["a", 8, "b", 9]


async def test_the_plan_counts_and_decodes_nothing(services: Services, engine: Remembering) -> None:
    truncated = png(500, 500)[:100]
    asked = request(picture(truncated), TextPart("four"))

    planned = await plan(asked, services.engines.get(asked.model), "project", services)

    assert planned.usage.prompt == {Modality.IMAGE: 1120, Modality.TEXT: 4}
    assert engine.asked == []


async def test_earlier_thoughts_are_billed_but_not_shown_to_the_engine_again(
    services: Services, engine: Remembering
) -> None:
    answered = await whole(request(TextPart("old", thought=True), TextPart("new")), services)

    assert engine.asked[0].question == "new"
    assert answered.usage.prompt == {Modality.TEXT: 6}


async def test_instructions_and_tools_count_as_text(services: Services) -> None:
    answered = await whole(
        request(TextPart("q"), Structured("f", {"a": 1}), system=(TextPart("be brief"),), tools=[{}]),
        services,
    )

    assert answered.usage.prompt == {Modality.TEXT: 1 + len('f: {"a":1}') + 8 + len("[{}]")}


@pytest.mark.parametrize("shown", [True, False])
async def test_thoughts_are_counted_and_shown_where_asked_for(services: Services, shown: bool) -> None:
    answered = await whole(request(TextPart("q"), thinking=Thinking(include=shown)), services)

    parts = answered.candidates[0].parts
    assert parts == ((Thought("hm"), Text("yes")) if shown else (Text("yes"),))
    assert (answered.usage.thoughts, answered.usage.candidates) == (2, 3)


async def test_candidates_are_asked_for_one_by_one_with_seeds_of_their_own(
    services: Services, engine: Remembering
) -> None:
    answered = await whole(request(TextPart("q"), sampling=Sampling(candidates=2, seed=7)), services)

    assert [asked.sampling.seed for asked in engine.asked] == [7, 8]
    assert (answered.usage.candidates, answered.usage.thoughts) == (6, 4)


async def test_closing_an_answer_closes_the_engines_work(services: Services, engine: Remembering) -> None:
    asked = request(TextPart("q"))
    planned = await plan(asked, services.engines.get(asked.model), "project", services)

    async with aclosing(answer(planned, services)) as pieces:
        await anext(pieces)

    assert engine.closed == 1


async def test_g10_a_prompt_over_the_models_limit_is_refused(services: Services) -> None:
    with pytest.raises(InvalidArgument, match="exceeds the maximum number of tokens allowed"):
        await whole(request(TextPart("x" * 1_048_577)), services)


async def test_a_broken_picture_is_refused_with_its_field(services: Services) -> None:
    with pytest.raises(BadMedia) as refusal:
        await whole(request(picture(png(8, 8)), picture(png(600, 600)[:200], number=1)), services)

    assert refusal.value.violations[0].field == "contents[0].parts[1].inline_data"


async def test_a_file_that_may_not_exist_is_refused(services: Services) -> None:
    part = Media(Stored("abc"), None, "contents[0].parts[0].file_data")

    with pytest.raises(PermissionDenied, match="abc"):
        await whole(request(part), services)
