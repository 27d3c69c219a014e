from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from uuid import uuid4

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from stills import still
from twinlens.domain.engine import (
    EngineRequest,
    EngineTurn,
    Event,
    Finished,
    FunctionCall,
    FunctionResult,
    InputPart,
    Text,
    Thought,
)
from twinlens.domain.engine_media import StillImage, TextFile
from twinlens.domain.geometry import area32
from twinlens.domain.media import Image, Json
from twinlens.domain.request import OutputFormat, Thinking
from twinlens.engines.builtin import BuiltinEngine

LOOP = pytest.mark.asyncio(loop_scope="module")


def drawn(text: str, ground: str = "white", size: tuple[int, int] = (640, 200)) -> StillImage:
    """Draw a picture with a line of text on it."""
    picture = Picture.new("RGB", size, ground)
    if text:
        ImageDraw.Draw(picture).text((40, 60), text, fill="black", font=ImageFont.load_default(size=48))
    return still(Image(np.asarray(picture), *size, "image/png", 125, f"{text}/{ground}/{size}"))


def asked(*parts: InputPart, **more: object) -> EngineRequest:
    return EngineRequest("twinlens-builtin", (EngineTurn("user", parts),), **more)  # type: ignore[arg-type]


async def events_of(engine: BuiltinEngine, request: EngineRequest) -> list[Event]:
    return [event async for event in engine.generate(request)]


async def answer(engine: BuiltinEngine, request: EngineRequest) -> str:
    return "".join(event.text for event in await events_of(engine, request) if isinstance(event, Text))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[BuiltinEngine]:
    engine = BuiltinEngine(BuiltinEngine.Options())
    await engine.start()
    yield engine
    await engine.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def looking(engine: BuiltinEngine) -> int:
    """The process that looks for the engine."""
    await answer(engine, asked(drawn(uuid4().hex), "Read this"))
    (pid,) = engine.pids.looking
    return pid


@pytest.fixture
async def idle() -> AsyncIterator[BuiltinEngine]:
    """An engine that was never started: what it needs is started by the first question."""
    engine = BuiltinEngine(BuiltinEngine.Options())
    yield engine
    await engine.stop()


def test_it_says_what_it_is(idle: BuiltinEngine) -> None:
    capabilities = idle.capabilities

    assert (capabilities.name, capabilities.model) == ("builtin", "twinlens-builtin")
    assert capabilities.geometry is area32
    assert capabilities.thinks


def test_four_characters_are_a_token(idle: BuiltinEngine) -> None:
    assert [idle.count_text(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


async def test_a_text_alone_is_not_looked_at(idle: BuiltinEngine) -> None:
    events = await events_of(idle, asked("Hello"))

    assert isinstance(events[0], Text)
    assert events[-1] == Finished("STOP")
    assert not idle.pids.looking


async def test_what_nobody_could_answer_is_not_looked_at(idle: BuiltinEngine) -> None:
    text = await answer(idle, asked(drawn("Cat"), "What animal is this?"))

    assert "vision-language model" in text
    assert not idle.pids.looking


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
async def test_a_picture_in_a_functions_result_is_read(engine: BuiltinEngine) -> None:
    turns = (
        EngineTurn("user", (drawn("First"), "Look")),
        EngineTurn("model", (FunctionCall("look", {}, "1"),)),
        EngineTurn("user", (FunctionResult("look", {}, "1", (drawn("Second"),)), "Read this picture")),
    )

    assert await answer(engine, EngineRequest("m", turns)) == "Second"


@LOOP
async def test_two_pictures_are_compared(engine: BuiltinEngine) -> None:
    request = asked(drawn("Same"), drawn("Same"), "What is different between these two images?")

    assert await answer(engine, request) == "No difference was found."


@LOOP
async def test_a_killed_process_costs_nobody_an_answer(engine: BuiltinEngine, looking: int) -> None:
    os.kill(looking, signal.SIGSTOP)
    question = asyncio.create_task(answer(engine, asked(drawn("Found"), "Read this")))
    await asyncio.sleep(0.05)

    os.kill(looking, signal.SIGKILL)

    assert await question == "Found"


@LOOP
async def test_a_process_killed_while_idle_is_replaced_unseen(engine: BuiltinEngine) -> None:
    for pid in (*engine.pids.answering, *engine.pids.looking):
        os.kill(pid, signal.SIGKILL)

    assert await answer(engine, asked(drawn("Replaced"), "Read this")) == "Replaced"


@LOOP
@pytest.mark.parametrize("which", ["answering", "looking"])
async def test_a_process_that_hangs_is_replaced_when_its_caller_gives_up(
    engine: BuiltinEngine, which: str
) -> None:
    await answer(engine, asked("Hello"))
    hung = getattr(engine.pids, which)
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await answer(engine, asked(drawn(f"Lost {which}"), "Read this"))

    assert await answer(engine, asked(drawn(f"Next {which}"), "Read this")) == f"Next {which}"
    assert not set(hung) & set(getattr(engine.pids, which))


@LOOP
async def test_an_answer_that_is_given_up_ends_with_its_process(engine: BuiltinEngine) -> None:
    # Every row is tried against every form: this would take for ever.
    rows = "".join(f"a{n},b\n" for n in range(300))
    endless: Json = {"type": "string"}
    for _ in range(18):
        endless = {"anyOf": [endless, endless]}
    schema = {"type": "array", "items": {"type": "object", "properties": {"x": endless}, "required": ["x"]}}
    request = asked(
        TextFile("text/csv", f"x,y\n{rows}", "rows"),
        "Extract the rows",
        output=OutputFormat("application/json", schema),
    )
    busy = [asyncio.create_task(answer(engine, request)) for _ in range(7)]
    await asyncio.sleep(0.5)

    others = await asyncio.gather(*(answer(engine, asked("Hello")) for _ in range(3)))
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    await asyncio.wait_for(engine.settled(), 30)

    assert all(other.startswith("Hello. This is twinlens") for other in others)


@LOOP
async def test_the_processes_ignore_ctrl_c_and_sigterm(engine: BuiltinEngine, looking: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(looking, number)

    assert await answer(engine, asked(drawn("Still here"), "Read this")) == "Still here"
    assert engine.pids.looking == (looking,)


@LOOP
async def test_what_was_seen_is_remembered(engine: BuiltinEngine, looking: int) -> None:
    request = asked(drawn("Remembered"), "Read this")
    first = await answer(engine, request)
    os.kill(looking, signal.SIGSTOP)

    second = await answer(engine, request)

    os.kill(looking, signal.SIGCONT)
    assert first == second == "Remembered"


async def test_no_process_outlives_the_engine() -> None:
    engine = BuiltinEngine(BuiltinEngine.Options())
    await answer(engine, asked(drawn("Short"), "Read this"))
    pids = (*engine.pids.answering, *engine.pids.looking)

    await engine.stop()

    assert pids
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
