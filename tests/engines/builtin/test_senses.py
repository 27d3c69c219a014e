from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio

from stills import still
from twinlens.domain.engine import EngineRequest, EngineTurn, InputPart, Text
from twinlens.domain.engine_media import SAMPLE_RATE, Samples, Sound, StillImage, TextFile, Video
from twinlens.engines.builtin import BuiltinEngine, replies

Film = Callable[..., tuple[Video, list[int]]]

LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[BuiltinEngine]:
    engine = BuiltinEngine(BuiltinEngine.Options())
    await engine.start()
    yield engine
    await engine.stop()


async def answer(engine: BuiltinEngine, *turns: tuple[InputPart, ...]) -> str:
    said = tuple(EngineTurn("user", parts) for parts in turns)
    events = engine.generate(EngineRequest("m", said))
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def picture_of(video: Video) -> StillImage:
    """Take the first frame for a picture of its own."""
    frame = await anext(video.frames([0]))
    return still(frame.image)


@LOOP
async def test_media_of_different_kinds_answer_by_their_names(engine: BuiltinEngine, film: Film) -> None:
    one, _ = film(("white", "Alpha"))
    other, _ = film(("white", "Beta"))
    shown, _ = film(("white", "Gamma"))

    said = await answer(engine, (one, await picture_of(shown), other, "What text is shown?"))

    assert said.splitlines() == ["Video 1: 00:00 “Alpha”", "Image 1: Gamma", "Video 2: 00:00 “Beta”"]


@LOOP
async def test_one_medium_has_no_name(engine: BuiltinEngine, film: Film) -> None:
    video, _ = film(("white", "Alpha"))

    assert await answer(engine, (video, "What text is shown?")) == "00:00 “Alpha”"


@LOOP
async def test_a_chat_goes_on_about_the_videos_before(engine: BuiltinEngine, film: Film) -> None:
    one, _ = film(("white", "Alpha"))
    other, _ = film(("white", "Beta"))

    said = await answer(engine, (one, other, "What text is in the first video?"), ("and the second one?",))

    assert said == "00:00 “Beta”"


@LOOP
async def test_a_later_question_is_about_the_last_media(engine: BuiltinEngine, film: Film) -> None:
    one, _ = film(("white", "Alpha"))
    other, _ = film(("white", "Beta"))

    said = await answer(engine, (one, "Hello"), (other, "Hello"), ("What text is shown?",))

    assert said == "00:00 “Beta”"


def sound() -> Sound:
    async def read(start: float, end: float) -> AsyncGenerator[Samples, None]:
        yield np.zeros(round((end - start) * SAMPLE_RATE), np.float32)

    return Sound("audio/wav", 0.0, 1.0, 32, "silence", read)


async def test_a_question_is_about_the_kind_of_media_that_it_names(film: Film) -> None:
    video, _ = film(("white", ""))
    image = await picture_of(film(("white", ""))[0])
    pdf = TextFile("text/plain", "text", "text")

    def media(*turns: tuple[InputPart, ...]) -> tuple[InputPart, ...]:
        return replies.plan(EngineRequest("m", tuple(EngineTurn("user", said) for said in turns))).media

    assert media((video, "Hello"), (image, "Hello"), ("What text is in the video?",)) == (video,)
    assert media((video, "Hello"), (image, "Hello"), ("What text is shown?",)) == (image,)
    assert media((video, "What text is shown?"), (pdf, "and the document?")) == (pdf,)
    assert media((video, image, pdf, "Describe the image")) == (image,)
    assert media((video, image, pdf, "Summarize the document and the video")) == (video, pdf)
    assert media((video, sound(), "What is the audio of the video?")) == (video,)
    assert media((image, "Summarize the video")) == (image,)


async def test_a_kind_of_media_alone_repeats_the_question(film: Film) -> None:
    video, _ = film(("white", ""))
    image = await picture_of(film(("white", ""))[0])
    turns = (
        EngineTurn("user", (video, image, "What text is in the video?")),
        EngineTurn("user", ("And the image?",)),
    )

    plan = replies.plan(EngineRequest("m", turns))

    assert (plan.asked.intent.name, plan.media) == ("read", (image,))


def test_a_text_file_counts_among_the_documents() -> None:
    files = [TextFile("text/plain", name, name) for name in ("a", "b")]
    request = EngineRequest("m", (EngineTurn("user", (*files, "Summarize the second document")),))

    assert replies.plan(request).media == (files[1],)
