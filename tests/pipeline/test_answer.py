"""The road of a request, with a real decoder pool and an engine that remembers what it was given."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import pdfs
from twinlens.concurrency.pixel_limiter import PixelLimiter
from twinlens.domain.answer import Answer, fold
from twinlens.domain.engine import (
    Capabilities,
    EngineRequest,
    EngineUsage,
    Event,
    Finished,
    FunctionCall,
    MediaForms,
    Text,
    Thought,
)
from twinlens.domain.engine_media import Document, StillImage
from twinlens.domain.errors import BadMedia, InvalidArgument, PermissionDenied
from twinlens.domain.geometry import Fit, area32
from twinlens.domain.media import Modality
from twinlens.domain.rendering import text_of
from twinlens.domain.request import (
    BlobRef,
    ExecutableCode,
    FileRef,
    FunctionResult,
    Inline,
    Media,
    Part,
    Request,
    Resolution,
    Sampling,
    Thinking,
    ToolChoice,
    Turn,
)
from twinlens.domain.request import Text as TextPart
from twinlens.engines.router import Engines
from twinlens.fetch.fetcher import Fetcher
from twinlens.fetch.youtube import YouTube
from twinlens.media.worker.pool import WorkerPool
from twinlens.pipeline.answer import answer, plan
from twinlens.pipeline.decoder import Decoder
from twinlens.pipeline.engine_media import EngineMedia
from twinlens.pipeline.inspection_cache import InspectionCache
from twinlens.pipeline.planning import pixels_of
from twinlens.pipeline.processing import Processing
from twinlens.pipeline.services import Services
from twinlens.store.storage import open_storage


class Remembering:
    """An engine that keeps every request and whether its answer was closed."""

    capabilities = Capabilities(name="remembering", model="memory", geometry=area32, thinks=True)

    def __init__(self) -> None:
        self.asked: list[EngineRequest] = []
        self.calls: list[FunctionCall] = []
        self.closed = 0
        self.usage: EngineUsage | None = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def count_text(self, text: str) -> int:
        return len(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        self.asked.append(request)
        try:
            yield Thought("hm")
            yield Text("yes")
            for call in self.calls:
                yield call
            yield Finished(usage=self.usage)
        finally:
            self.closed += 1


@pytest.fixture
def engine() -> Remembering:
    return Remembering()


@pytest.fixture
async def services(engine: Remembering, tmp_path: Path) -> AsyncIterator[Services]:
    pool = WorkerPool(1, 1024, 30.0)
    engines = Engines.single(engine)
    storage = open_storage(tmp_path)
    await pool.start()
    engines.start()
    yield Services(
        engines=engines,
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
    await engines.stop()
    await pool.stop()
    await storage.close()


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 10, 10)) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def jpeg(data: bytes, resolution: Resolution | None = None, number: int = 0) -> Media:
    return Media(Inline(data), "image/png", f"contents[0].parts[{number}]", resolution)


def request(*parts: Part, **rest: object) -> Request:
    return Request(model="gemini-3-flash-preview", turns=(Turn("user", parts),), **rest)  # type: ignore[arg-type]


async def whole(asked: Request, services: Services) -> Answer:
    served = services.engines.get(asked.model)
    planned = await plan(asked, served, "project", services)
    return fold([piece async for piece in answer(planned, services)])


class Squares(Remembering):
    """An engine that sees everything as a square of 48 pixels, for 9 tokens."""

    capabilities = replace(Remembering.capabilities, geometry=lambda width, height, payload: Fit(48, 48, 9))


@pytest.mark.parametrize("engine", [Squares()])
async def test_the_engines_own_geometry_sizes_what_it_sees(services: Services, engine: Remembering) -> None:
    answered = await whole(request(jpeg(png(2000, 1000))), services)

    (image,) = engine.asked[0].images
    assert ((await image.load()).pixels.shape, image.tokens) == ((48, 48, 3), 9)
    assert answered.usage.engine_media == 9


async def test_the_engine_sees_an_image_of_the_size_that_the_budget_pays_for(
    services: Services, engine: Remembering
) -> None:
    await whole(request(jpeg(png(2000, 1000), Resolution("LOW"))), services)

    (image,) = engine.asked[0].images
    assert 0.97 * 280 * 1024 <= image.width * image.height <= 280 * 1024
    assert (image.source_width, image.source_height) == (2000, 1000)
    assert np.abs((await image.load()).pixels.reshape(-1, 3).mean(axis=0) - (200, 10, 10)).max() < 2


async def test_two_parts_have_each_their_own_budget(services: Services, engine: Remembering) -> None:
    data = png(2000, 1000)

    answered = await whole(
        request(jpeg(data, Resolution("LOW")), jpeg(data, Resolution("HIGH"), number=1)), services
    )

    low, high = engine.asked[0].images
    assert low.width * low.height * 3.9 < high.width * high.height <= 1120 * 1024
    assert answered.usage.prompt[Modality.IMAGE] == 280 + 1120
    assert low.digest != high.digest


async def test_the_same_picture_under_the_same_plan_has_the_same_digest(
    services: Services, engine: Remembering
) -> None:
    data = png(40, 30)

    await whole(request(jpeg(data), jpeg(data, number=1), jpeg(png(40, 31), number=2)), services)

    first, second, other = engine.asked[0].images
    assert first.digest == second.digest != other.digest


async def test_a_project_of_its_own_has_digests_of_its_own(services: Services, engine: Remembering) -> None:
    asked = request(jpeg(png(40, 30)))
    served = services.engines.get(asked.model)

    for project in ("mine", "theirs"):
        planned = await plan(asked, served, project, services)
        _ = [piece async for piece in answer(planned, services)]

    mine, theirs = (asked.images[0].digest for asked in engine.asked)
    assert mine != theirs


async def test_media_that_take_too_much_work_end_the_request(services: Services) -> None:
    document = Media(Inline(pdfs.heavy(1000)), "application/pdf", "contents[0].parts[0]")
    asked, served = request(document), services.engines.get("gemini-3-flash-preview")
    planned = await plan(asked, served, "project", replace(services, work_limit_s=1.0))
    decoder = services.decoder.for_request(planned.quota)
    (document_,) = await EngineMedia(decoder, MediaForms()).of(planned.media)
    assert isinstance(document_, Document)

    planned.quota.spend(20)

    with pytest.raises(BadMedia, match="more than 21 s of computing time") as refusal:
        _ = [page async for page in document_.images()]

    assert refusal.value.violations[0].field == "contents[0].parts[0].inline_data"


async def test_pictures_stand_where_their_parts_stood(services: Services, engine: Remembering) -> None:
    await whole(request(TextPart("a"), jpeg(png(8, 8)), TextPart("b"), jpeg(png(9, 9))), services)

    kinds = [s.width if isinstance(s, StillImage) else s for s in engine.asked[0].turns[0].parts]
    assert kinds == ["a", 8, "b", 9]


async def test_the_plan_counts_and_decodes_nothing(services: Services, engine: Remembering) -> None:
    truncated = png(500, 500)[:100]
    asked = request(jpeg(truncated), TextPart("four"))

    planned = await plan(asked, services.engines.get(asked.model), "project", services)

    assert planned.usage.prompt == {Modality.IMAGE: 1120, Modality.TEXT: 4}
    assert engine.asked == []


async def test_earlier_thoughts_are_neither_shown_to_the_engine_again_nor_billed(
    services: Services, engine: Remembering
) -> None:
    answered = await whole(request(TextPart("old", thought=True), TextPart("new")), services)

    assert engine.asked[0].question == "new"
    assert answered.usage.prompt == {Modality.TEXT: 3}


async def test_a_functions_result_reaches_the_engine_as_a_value_with_its_media(
    services: Services, engine: Remembering
) -> None:
    result = FunctionResult("f", {"b": 1}, "x", (jpeg(png(8, 8)), jpeg(png(9, 9))))

    await whole(request(jpeg(png(7, 7)), result, jpeg(png(10, 10)), TextPart("q")), services)

    before, given, after, text = engine.asked[0].turns[0].parts
    assert isinstance(given, FunctionResult)
    assert (given.name, given.response, given.id) == ("f", {"b": 1}, "x")
    assert [one.width for one in (before, *given.media, after) if isinstance(one, StillImage)] == [
        7,
        8,
        9,
        10,
    ]
    assert text == "q"


async def test_a_functions_result_counts_as_its_text_and_its_media(services: Services) -> None:
    asked = request(FunctionResult("f", {"b": 1, "a": 2}, "x", (jpeg(png(8, 8)),)))

    planned = await plan(asked, services.engines.get(asked.model), "project", services)
    answered = await whole(asked, services)

    text = 'functionResponse: {"id":"x","name":"f","response":{"b":1,"a":2}}'
    assert planned.usage.prompt == {Modality.IMAGE: 1120, Modality.TEXT: len(text)}
    assert answered.usage.prompt == planned.usage.prompt


async def test_instructions_code_and_tools_count_as_text(services: Services) -> None:
    code = ExecutableCode("PYTHON", "1")

    answered = await whole(request(TextPart("q"), code, system=(TextPart("be brief"),), tools=[{}]), services)

    assert answered.usage.prompt == {Modality.TEXT: 1 + len(text_of(code)) + 8 + len("[{}]")}


@pytest.mark.parametrize("shown", [True, False])
async def test_thoughts_are_counted_and_shown_where_asked_for(services: Services, shown: bool) -> None:
    answered = await whole(request(TextPart("q"), thinking=Thinking(include=shown)), services)

    parts = answered.candidates[0].parts
    assert parts == ((Thought("hm"), Text("yes")) if shown else (Text("yes"),))
    assert (answered.usage.thoughts, answered.usage.candidates) == (2, 3)


async def test_a_call_without_an_id_gets_one(services: Services, engine: Remembering) -> None:
    engine.calls = [FunctionCall("f", {"a": 1}), FunctionCall("f", {}, "own"), FunctionCall("f", {})]

    answered = await whole(request(TextPart("q"), tools=[{"name": "f"}]), services)

    text, *calls = answered.candidates[0].parts
    assert text == Text("yes")
    assert [(call.name, call.arguments) for call in calls if isinstance(call, FunctionCall)] == [
        ("f", {"a": 1}),
        ("f", {}),
        ("f", {}),
    ]
    first, own, last = (call.id for call in calls if isinstance(call, FunctionCall))
    assert own == "own"
    assert first != last
    assert all(re.fullmatch(r"call_[0-9a-f]{16}", made) for made in (first, last))


async def test_a_call_counts_as_its_json(services: Services, engine: Remembering) -> None:
    engine.calls = [FunctionCall("f", {"ü": 1}, "own")]

    answered = await whole(request(TextPart("q")), services)

    assert answered.usage.candidates == len("yes") + len('{"name":"f","args":{"ü":1}}')


async def test_half_a_character_in_an_answer_is_replaced_and_counted_as_it_is_shown(
    services: Services, engine: Remembering
) -> None:
    engine.calls = [FunctionCall("f", {"a": "x\ud83d"}, "own")]

    answered = await whole(request(TextPart("q")), services)

    assert answered.candidates[0].parts[-1] == FunctionCall("f", {"a": "x\ufffd"}, "own")
    assert answered.usage.candidates == len("yes") + len('{"name":"f","args":{"a":"x_"}}')


async def test_tools_reach_the_engine_with_the_choice_among_them(
    services: Services, engine: Remembering
) -> None:
    choice = ToolChoice("VALIDATED", ("f",))

    await whole(request(TextPart("q"), tools=[{"name": "f"}], tool_choice=choice), services)

    assert (engine.asked[0].tools, engine.asked[0].tool_choice) == ([{"name": "f"}], choice)


async def test_tools_that_must_not_be_used_are_billed_but_not_shown_to_the_engine(
    services: Services, engine: Remembering
) -> None:
    answered = await whole(
        request(TextPart("q"), tools=[{"name": "f"}], tool_choice=ToolChoice("NONE")), services
    )

    assert engine.asked[0].tools is None
    assert answered.usage.prompt == {Modality.TEXT: 1 + len('[{"name":"f"}]')}


async def test_an_engine_that_never_calls_cannot_be_made_to(services: Services, engine: Remembering) -> None:
    asked = request(TextPart("q"), tools=[{"name": "f"}], tool_choice=ToolChoice("ANY"))

    with pytest.raises(InvalidArgument, match="Function calling mode ANY is not supported") as refusal:
        await plan(asked, services.engines.get(asked.model), "project", services)

    assert refusal.value.violations[0].field == "tool_config.function_calling_config.mode"


async def test_g6_images_are_counted_over_the_whole_conversation_before_any_is_looked_at(
    services: Services,
) -> None:
    broken = Turn("user", tuple(jpeg(b"", number=i) for i in range(1800)))
    earlier, last = Turn("user", (jpeg(b""),)), Turn("model", (TextPart("So many."),))
    asked = Request("gemini-3-flash", (broken, last, broken, earlier))

    with pytest.raises(InvalidArgument) as refusal:
        await plan(asked, services.engines.get(asked.model), "project", services)

    assert refusal.value.message == (
        "Please use fewer than 3600 images in your request to models/gemini-3-flash"
    )
    assert refusal.value.violations[0].field == "contents"


@pytest.mark.parametrize("said", [{"mime_type": "image/png"}, {"mime_type": None, "kind": "image"}])
async def test_where_images_of_earlier_turns_are_too_many_with_the_new_ones_that_is_said(
    services: Services, said: dict[str, Any]
) -> None:
    earlier = Turn(
        "user", (Media(BlobRef("0" * 64, 1, "image/png"), field="previous_interaction_id", **said),)
    )
    new = Turn("user", tuple(replace(jpeg(b"", number=i), **said) for i in range(3600)))
    asked = Request("gemini-3-flash", (earlier, new))

    with pytest.raises(InvalidArgument) as refusal:
        await plan(asked, services.engines.get(asked.model), "project", services)

    assert refusal.value.message == (
        "Please use fewer than 3600 images in your request to models/gemini-3-flash. "
        "What came with earlier turns counts too."
    )
    assert [one.field for one in refusal.value.violations] == ["previous_interaction_id"]


async def test_g6_as_many_images_as_are_allowed_are_planned(services: Services) -> None:
    asked = request(*(jpeg(png(8, 8)) for _ in range(3600)))
    asked = replace(asked, resolution="LOW")

    planned = await plan(asked, services.engines.get(asked.model), "project", services)

    assert len(planned.media) == 3600


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
        await whole(request(jpeg(png(8, 8)), jpeg(png(600, 600)[:200], number=1)), services)

    assert refusal.value.violations[0].field == "contents[0].parts[1].inline_data"


async def test_a_file_that_may_not_exist_is_refused(services: Services) -> None:
    part = Media(FileRef("abc"), None, "contents[0].parts[0].file_data")

    with pytest.raises(PermissionDenied, match="abc"):
        await whole(request(part), services)


async def test_output_is_billed_as_the_engine_reports_it_and_the_prompt_as_it_was_planned(
    services: Services, engine: Remembering
) -> None:
    engine.usage = EngineUsage(prompt=5000, output=7, thoughts=11, cached=4000)

    usage = (await whole(request(TextPart("Hello"), jpeg(png(64, 64))), services)).usage

    assert (usage.prompt_total, usage.candidates, usage.thoughts) == (5 + 1120, 7, 11)
    assert (usage.engine.prompt, usage.engine.cached) == (5000, 4000)


async def test_what_an_engine_does_not_report_is_counted(services: Services, engine: Remembering) -> None:
    engine.usage = EngineUsage(prompt=5000)

    usage = (await whole(request(TextPart("Hello")), services)).usage

    assert (usage.prompt_total, usage.candidates, usage.thoughts) == (5, len("yes"), len("hm"))


async def test_more_images_than_memory_holds_are_taken_one_after_another(
    services: Services, engine: Remembering
) -> None:
    many = request(*(jpeg(png(1000, 1000, (i, 0, 0)), number=i) for i in range(60)))
    served = services.engines.get(many.model)

    planned = await plan(many, served, "project", services)

    assert pixels_of(planned.media) == 4 * 1000 * 1000
    assert len([piece async for piece in answer(planned, services)]) > 1
    assert [image.width for image in engine.asked[0].images] == [1000] * 60
