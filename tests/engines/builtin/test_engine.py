from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from twinlens.domain.engine import EngineRequest, EngineTurn, Event, Finished, Text, Thought
from twinlens.domain.errors import Unavailable
from twinlens.domain.media import Image
from twinlens.domain.request import OutputFormat, Thinking
from twinlens.engines.base import EngineOptions
from twinlens.engines.builtin import BuiltinEngine

LOOP = pytest.mark.asyncio(loop_scope="module")


def drawn(text: str, ground: str = "white", size: tuple[int, int] = (640, 200)) -> Image:
    """Draw a picture with a line of text on it."""
    picture = Picture.new("RGB", size, ground)
    if text:
        ImageDraw.Draw(picture).text((40, 60), text, fill="black", font=ImageFont.load_default(size=48))
    return Image(np.asarray(picture), *size, "image/png", 125, f"{text}/{ground}/{size}")


def asked(*segments: str | Image, **more: object) -> EngineRequest:
    return EngineRequest("twinlens-builtin", (EngineTurn("user", segments),), **more)  # type: ignore[arg-type]


async def events_of(engine: BuiltinEngine, request: EngineRequest) -> list[Event]:
    return [event async for event in engine.generate(request)]


async def answer(engine: BuiltinEngine, request: EngineRequest) -> str:
    return "".join(event.text for event in await events_of(engine, request) if isinstance(event, Text))


@pytest.fixture(scope="module")
def strangers() -> frozenset[int | None]:
    """The processes that other tests have left running."""
    return frozenset(child.pid for child in multiprocessing.active_children())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(strangers: frozenset[int | None]) -> AsyncIterator[BuiltinEngine]:
    engine = BuiltinEngine(EngineOptions())
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
def child(engine: BuiltinEngine, strangers: frozenset[int | None]) -> int:
    """The process that looks for the engine."""
    (pid,) = {child.pid for child in multiprocessing.active_children()} - strangers
    assert pid is not None
    return pid


@pytest.fixture
def idle() -> BuiltinEngine:
    """An engine that was never started: it has no process to look with."""
    return BuiltinEngine(EngineOptions())


def test_it_says_what_it_is(idle: BuiltinEngine) -> None:
    capabilities = idle.capabilities

    assert (capabilities.name, capabilities.model) == ("builtin", "twinlens-builtin")
    assert capabilities.geometry == "area32"
    assert capabilities.thinks


def test_four_characters_are_a_token(idle: BuiltinEngine) -> None:
    assert [idle.count_text(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


async def test_a_text_alone_needs_no_process(idle: BuiltinEngine) -> None:
    events = await events_of(idle, asked("Hello"))

    assert isinstance(events[0], Text)
    assert events[-1] == Finished("STOP")


async def test_a_question_nobody_could_answer_needs_no_process(idle: BuiltinEngine) -> None:
    text = await answer(idle, asked(drawn("Cat"), "What animal is this?"))

    assert "vision-language model" in text


async def test_sizes_are_known_without_a_look(idle: BuiltinEngine) -> None:
    assert (await answer(idle, asked(drawn(""), "How big is this image?"))).startswith(
        "The picture is 640 × 200 pixels"
    )


@LOOP
async def test_text_is_read_from_the_pixels(engine: BuiltinEngine) -> None:
    assert (
        await answer(engine, asked(drawn("OPEN 24 HOURS"), "What text is in the picture?")) == "OPEN 24 HOURS"
    )


@LOOP
async def test_an_answer_comes_in_pieces_that_join_to_the_whole(engine: BuiltinEngine) -> None:
    events = await events_of(engine, asked(drawn("OPEN 24 HOURS", "yellow"), "Caption this image."))

    pieces = [event.text for event in events if isinstance(event, Text)]
    assert len(pieces) > 1
    assert "yellow" in "".join(pieces)
    assert isinstance(events[-1], Finished)


@LOOP
async def test_thoughts_come_first_and_only_when_asked_for(engine: BuiltinEngine) -> None:
    request = asked(drawn("Exit"), "Read this", thinking=Thinking(include=True))

    events = await events_of(engine, request)

    assert isinstance(events[0], Thought)
    assert "“Exit”" in events[0].text
    assert sum(isinstance(event, Thought) for event in events) == 1


@LOOP
async def test_a_schema_is_filled_from_the_pixels(engine: BuiltinEngine) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    request = asked(drawn("Total: $19.50"), "Extract", output=OutputFormat("application/json", schema))

    assert await answer(engine, request) == '{\n  "total": 19.5\n}'


@LOOP
async def test_a_chat_goes_on_about_the_pictures_before(engine: BuiltinEngine) -> None:
    turns = (
        EngineTurn("user", (drawn("First"), drawn("Second"), "What text is in the first image?")),
        EngineTurn("model", ("First",)),
        EngineTurn("user", ("and the second one?",)),
    )

    assert await answer(engine, EngineRequest("m", turns)) == "Second"


@LOOP
async def test_two_pictures_are_compared(engine: BuiltinEngine) -> None:
    request = asked(drawn("Same"), drawn("Same"), "What is different between these two images?")

    assert await answer(engine, request) == "No difference was found."


@LOOP
async def test_a_killed_process_costs_one_request_and_no_more(engine: BuiltinEngine, child: int) -> None:
    os.kill(child, signal.SIGSTOP)
    lost = asyncio.create_task(answer(engine, asked(drawn("Lost"), "Read this")))
    await asyncio.sleep(0.05)

    os.kill(child, signal.SIGKILL)

    with pytest.raises(Unavailable):
        await lost
    assert await answer(engine, asked(drawn("Found"), "Read this")) == "Found"


@LOOP
async def test_the_process_ignores_ctrl_c(engine: BuiltinEngine, child: int) -> None:

    os.kill(child, signal.SIGINT)

    assert await answer(engine, asked(drawn("Still here"), "Read this")) == "Still here"
    assert child in {process.pid for process in multiprocessing.active_children()}


@LOOP
async def test_what_was_seen_is_remembered(engine: BuiltinEngine, child: int) -> None:
    request = asked(drawn("Remembered"), "Read this")
    first = await answer(engine, request)
    os.kill(child, signal.SIGSTOP)

    second = await answer(engine, request)

    os.kill(child, signal.SIGCONT)
    assert first == second == "Remembered"
