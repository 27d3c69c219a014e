"""What every engine must keep, whatever it answers. A new engine gets a row in `ENGINES`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio

from documented import ruler_engine
from stills import still
from twinlens.domain.engine import (
    Blocked,
    EngineRequest,
    EngineTurn,
    Event,
    Finished,
    FunctionCall,
    FunctionResult,
    Text,
    Thought,
)
from twinlens.domain.engine_media import StillImage
from twinlens.domain.media import Image
from twinlens.engines import registry
from twinlens.engines.base import Engine
from twinlens.engines.options import build


def documented() -> Engine:
    """Build the engine that the documentation shows."""
    ruler = ruler_engine()
    engine: Engine = ruler(build(registry.declared_options(ruler), {}))
    return engine


ENGINES: dict[str, Callable[[], Engine]] = {
    "script": lambda: registry.create("script"),
    "builtin": lambda: registry.create("builtin"),
    "documented": documented,
}


@pytest.fixture(params=ENGINES)
def unstarted(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """Start each engine once: that may take long."""
    engine = ENGINES[request.param]()
    await engine.start()
    yield engine
    await engine.stop()


on_the_engines_loop = pytest.mark.asyncio(loop_scope="module")


def picture() -> StillImage:
    pixels = np.full((48, 64, 3), 255, np.uint8)
    pixels[12:36, 16:48] = (200, 30, 30)
    return still(Image(pixels, 128, 96, "image/png", tokens=3, digest="a red box on white"))


TEXT_ONLY = EngineRequest("gemini-2.5-flash", (EngineTurn("user", ("What can you do?",)),))
WITH_PICTURE = EngineRequest("gemini-3-pro", (EngineTurn("user", (picture(), "What colour is it?")),))
CONVERSATION = EngineRequest(
    "gemini-3-pro",
    (
        EngineTurn("user", (picture(), picture())),
        EngineTurn("model", ("Two pictures.",)),
        EngineTurn("user", ("Are they the same?",)),
    ),
    system="Be brief.",
)
WITH_TOOLS = EngineRequest(
    "gemini-3-pro",
    (EngineTurn("user", ("What is the weather in Paris?",)),),
    tools=[{"name": "get_weather", "parameters": {"type": "object"}}],
)
WITH_RESULT = EngineRequest(
    "gemini-3-pro",
    (
        EngineTurn("user", ("What does the camera see?",)),
        EngineTurn("model", (FunctionCall("look", {"at": "the door"}, "1"),)),
        EngineTurn("user", (FunctionResult("look", {"seen": 1}, "1", (picture(),)),)),
    ),
)
requests = pytest.mark.parametrize(
    "request_",
    [TEXT_ONLY, WITH_PICTURE, CONVERSATION, WITH_TOOLS, WITH_RESULT],
    ids=["text", "picture", "conversation", "tools", "result"],
)


async def events(engine: Engine, request: EngineRequest) -> list[Event]:
    return [event async for event in engine.generate(request)]


def test_capabilities_are_known_before_the_start(unstarted: Engine) -> None:
    capabilities = unstarted.capabilities

    assert capabilities.name
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", capabilities.model)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (640, 480), (20, 9000), (4000, 3000)])
@pytest.mark.parametrize("payload", [64, 280, 1120, 2240])
def test_the_geometry_keeps_an_image_upright_and_within_its_budget(
    unstarted: Engine, width: int, height: int, payload: int
) -> None:
    fit = unstarted.capabilities.geometry(width, height, payload)

    assert (type(fit.width), type(fit.height), type(fit.tokens)) == (int, int, int)
    assert 1 <= fit.width <= width
    assert 1 <= fit.height <= height
    assert 0 <= fit.tokens <= payload
    assert unstarted.capabilities.geometry(width, height, payload) == fit


async def test_capabilities_are_constant(unstarted: Engine) -> None:
    before = unstarted.capabilities
    await unstarted.start()
    await events(unstarted, TEXT_ONLY)
    after = unstarted.capabilities
    await unstarted.stop()

    assert before == after


def test_counting_is_pure_and_needs_no_start(unstarted: Engine) -> None:
    text = "Wie viele Katzen? 三只猫 🐈"

    assert unstarted.count_text(text) == unstarted.count_text(text) > 0


def test_nothing_costs_nothing(unstarted: Engine) -> None:
    assert unstarted.count_text("") == 0


@pytest.mark.parametrize(
    ("left", "right"), [("a", "b"), ("How many", " cats?"), ("x" * 999, "\n\n"), ("", "a")]
)
def test_joined_texts_cost_about_the_sum(unstarted: Engine, left: str, right: str) -> None:
    both = unstarted.count_text(left) + unstarted.count_text(right)

    assert both - 1 <= unstarted.count_text(left + right) <= both


@on_the_engines_loop
@requests
async def test_an_answer_ends_once(engine: Engine, request_: EngineRequest) -> None:
    *before, last = await events(engine, request_)

    assert isinstance(last, Finished | Blocked)
    said = (Text, Thought, FunctionCall) if engine.capabilities.calls else (Text, Thought)
    assert all(isinstance(event, said) for event in before)


@on_the_engines_loop
@requests
async def test_the_same_question_gets_the_same_answer(engine: Engine, request_: EngineRequest) -> None:
    assert await events(engine, request_) == await events(engine, request_)


@on_the_engines_loop
async def test_side_by_side_is_as_one_after_the_other(engine: Engine) -> None:
    alone = [await events(engine, request) for request in (TEXT_ONLY, WITH_PICTURE)]

    together = await asyncio.gather(events(engine, TEXT_ONLY), events(engine, WITH_PICTURE))

    assert list(together) == alone


@on_the_engines_loop
async def test_an_answer_may_be_closed_after_its_first_piece(engine: Engine) -> None:
    stream = engine.generate(WITH_PICTURE)
    await anext(stream)

    await stream.aclose()

    assert [event async for event in stream] == []
    assert await events(engine, TEXT_ONLY)


@on_the_engines_loop
async def test_an_answer_may_be_closed_before_it_begins(engine: Engine) -> None:
    await engine.generate(WITH_PICTURE).aclose()

    assert await events(engine, TEXT_ONLY)


async def test_an_engine_that_was_never_asked_stops(unstarted: Engine) -> None:
    await unstarted.start()

    await unstarted.stop()
