"""Model names, and the loading of the engine behind them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from twinlens.domain.errors import NotFound, Unavailable
from twinlens.engines.base import EngineOptions
from twinlens.engines.pool import Engines
from twinlens.engines.script import ScriptEngine


class Slow(ScriptEngine):
    """An engine that loads when it is told to, or fails to."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__(EngineOptions())
        self.go = asyncio.Event()
        self.failure = failure

    async def start(self) -> None:
        await self.go.wait()
        if self.failure:
            raise self.failure


def test_the_engines_own_name_follows_the_newest_line() -> None:
    assert Engines(Slow()).get("twinlens-script").line.name == "gemini-3"


@pytest.mark.parametrize("name", ["gemini-2.5-flash", "models/gemini-2.5-flash"])
def test_a_name_may_have_its_collection_before_it(name: str) -> None:
    assert Engines(Slow()).get(name).name == "gemini-2.5-flash"


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="nope"):
        Engines(Slow()).get("nope")


@pytest.mark.parametrize("name", ["x" * 100_000, "gemini-3-" + "x" * 192, "gemini-" + "9" * 5000])
def test_a_name_of_any_length_is_not_found_and_not_repeated_whole(name: str) -> None:
    with pytest.raises(NotFound) as failure:
        Engines(Slow()).get(name)

    assert failure.value.message == f"Model not found: models/{name[:200]}..."


def test_listed_models_are_all_served() -> None:
    engines = Engines(Slow())

    assert [engines.get(model.name) for model in engines.models] == list(engines.models)


async def test_requests_wait_until_the_engine_has_loaded() -> None:
    engine = Slow()
    engines = Engines(engine)
    engines.start()
    waiting = asyncio.create_task(engines.loaded())
    await asyncio.sleep(0)
    assert not engines.ready

    engine.go.set()
    await waiting

    assert engines.ready
    await engines.stop()


async def test_an_engine_that_cannot_be_loaded_is_reported_and_never_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Slow(RuntimeError("no weights"))
    engine.go.set()
    engines = Engines(engine)
    with caplog.at_level(logging.ERROR):
        engines.start()
        with pytest.raises(Unavailable, match="could not be loaded"):
            await engines.loaded()
        await asyncio.sleep(0)

    assert not engines.ready
    assert engines.failure == "no weights"
    assert "could not be loaded" in caplog.text
    await engines.stop()


async def test_stopping_ends_a_load_that_still_runs() -> None:
    engines = Engines(Slow())
    engines.start()

    await engines.stop()

    assert not engines.ready
