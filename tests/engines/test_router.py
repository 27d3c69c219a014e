"""Model names, and the loading of the engine behind them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from twinlens.domain.errors import NotFound, Unavailable
from twinlens.engines.base import EngineOptions
from twinlens.engines.router import MAX_TOLD, Engines
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
    assert Engines(Slow()).get("twinlens-script").generation.name == "gemini-3"


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


def test_the_name_of_another_service_is_not_found_and_says_which() -> None:
    with pytest.raises(NotFound, match="The transcription service is not offered"):
        Engines(Slow()).get("gemini-3.5-transcribe")


def test_a_name_that_is_not_listed_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    engines = Engines(Slow())

    for name in ("gemini-2.5-flahs", "gemini-2.5-flahs", "gemini-2.5-flash", "twinlens-script", "gemma-7"):
        engines.get(name)

    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [
        "gemini-2.5-flahs",
        "gemma-7",
    ]


def test_the_log_does_not_grow_with_what_callers_think_of(caplog: pytest.LogCaptureFixture) -> None:
    engines = Engines(Slow())

    for number in range(3000):
        engines.get(f"gemini-3-x{number}")

    assert len(caplog.records) == MAX_TOLD


def test_a_strict_server_serves_listed_names_only() -> None:
    engines = Engines(Slow(), strict=True)

    assert [engines.get(model.name) for model in engines.models] == list(engines.models)
    with pytest.raises(NotFound, match="--strict-models"):
        engines.get("gemini-2.5-flahs")


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
