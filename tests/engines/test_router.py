"""Model names, and which of several engines answers for each."""

from __future__ import annotations

import asyncio
import logging

import pytest

from twinlens.domain.errors import NotFound, Unavailable
from twinlens.domain.generations import LineName
from twinlens.engines.backend import EngineConfig, EngineStatus
from twinlens.engines.router import CATALOGUE, MAX_TOLD, Engines
from twinlens.engines.script import ScriptEngine


class Slow(ScriptEngine):
    """An engine that loads, or fails to, once `go` is set."""

    def __init__(self, failure: Exception | None = None, model: str = "twinlens-script") -> None:
        super().__init__(ScriptEngine.Options(model=model))
        self.go = asyncio.Event()
        self.failure = failure
        self.stopped = False

    async def start(self) -> None:
        await self.go.wait()
        if self.failure:
            raise self.failure

    async def stop(self) -> None:
        self.stopped = True
        if self.failure:
            raise self.failure


def config(name: str, *answers: str, generation: LineName = "gemini-3") -> EngineConfig:
    return EngineConfig(name, "script", Slow(model=f"{name}-1"), answers, generation)


def answering(engines: Engines, model: str) -> str:
    return engines.get(model).backend.config.name


def test_the_engines_own_name_follows_the_newest_line() -> None:
    assert Engines.single(Slow()).get("twinlens-script").generation.name == "gemini-3"


@pytest.mark.parametrize("name", ["gemini-2.5-flash", "models/gemini-2.5-flash"])
def test_a_name_may_have_its_collection_before_it(name: str) -> None:
    assert Engines.single(Slow()).get(name).name == "gemini-2.5-flash"


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="nope"):
        Engines.single(Slow()).get("nope")


@pytest.mark.parametrize("name", ["x" * 100_000, "gemini-3-" + "x" * 192, "gemini-" + "9" * 5000])
def test_a_name_of_any_length_is_not_found_and_not_repeated_whole(name: str) -> None:
    with pytest.raises(NotFound) as failure:
        Engines.single(Slow()).get(name)

    assert failure.value.message == f"Model not found: models/{name[:200]}..."


def test_the_name_of_another_service_is_not_found_and_says_which() -> None:
    with pytest.raises(NotFound, match="The transcription service is not offered"):
        Engines.single(Slow()).get("gemini-3.5-transcribe")


def test_a_name_that_is_not_listed_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    engines = Engines.single(Slow())

    for name in ("gemini-2.5-flahs", "gemini-2.5-flahs", "gemini-2.5-flash", "twinlens-script", "gemma-7"):
        engines.get(name)

    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [
        "gemini-2.5-flahs",
        "gemma-7",
    ]


def test_the_log_does_not_grow_with_what_callers_think_of(caplog: pytest.LogCaptureFixture) -> None:
    engines = Engines.single(Slow())

    for number in range(3000):
        engines.get(f"gemini-3-x{number}")

    assert len(caplog.records) == MAX_TOLD


def test_a_strict_server_serves_listed_names_only() -> None:
    engines = Engines.single(Slow(), strict=True)

    assert [engines.get(model.name) for model in engines.models] == list(engines.models)
    with pytest.raises(NotFound, match="--strict-models"):
        engines.get("gemini-2.5-flahs")


def test_listed_models_are_all_served() -> None:
    engines = Engines.single(Slow())

    assert [engines.get(model.name) for model in engines.models] == list(engines.models)


@pytest.fixture
def several() -> Engines:
    return Engines(
        [config("fast", "gemini-*-flash*", "our-model"), config("old", "gemini-1*", generation="gemini-1.5")]
    )


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemini-3-flash-preview", "fast"),
        ("models/gemini-2.5-flash", "fast"),
        ("gemini-1.5-flash", "fast"),
        ("gemini-1.5-pro", "old"),
        ("our-model", "fast"),
        ("fast-1", "fast"),
        ("old-1", "old"),
    ],
)
def test_the_first_pattern_that_fits_decides(several: Engines, model: str, name: str) -> None:
    assert answering(several, model) == name


def test_an_engines_own_name_leads_to_it_whatever_the_patterns_say() -> None:
    engines = Engines([config("all", "*"), config("gemini-3-flash")])

    assert answering(engines, "gemini-3-flash-1") == "gemini-3-flash"
    assert answering(engines, "gemini-3-flash") == "all"


def test_of_two_engines_with_one_model_name_the_first_answers() -> None:
    engines = Engines([EngineConfig(name, "script", Slow(), ()) for name in ("a", "b")])

    assert answering(engines, "twinlens-script") == "a"


def test_a_name_that_no_engine_answers_is_not_found_and_says_so(several: Engines) -> None:
    with pytest.raises(NotFound, match=r"No engine of this server answers it\."):
        several.get("gemini-2.5-pro")


@pytest.mark.parametrize("model", ["nope", "our-models", "gemini-2.5-flash-image"])
def test_a_pattern_serves_no_names_of_unknown_families(model: str) -> None:
    engines = Engines([config("all", "*", "our-model")])

    with pytest.raises(NotFound):
        engines.get(model)


def test_own_names_and_names_that_stand_in_a_table_follow_the_configured_generation() -> None:
    engines = Engines([config("old", "our-model", "gemini-2.5-*", generation="gemini-1.5")])

    names = ("old-1", "our-model", "gemini-2.5-pro")

    assert [engines.get(name).generation.name for name in names] == ["gemini-1.5", "gemini-1.5", "gemini-2.5"]


def test_what_is_listed_is_what_an_engine_answers_and_each_once(several: Engines) -> None:
    listed = [served.name for served in several.models]

    flashes = [name for name in CATALOGUE if "-flash" in name and not name.startswith("gemini-flash")]
    assert listed[-3:] == ["our-model", "fast-1", "old-1"]
    assert set(listed[:-3]) >= {"gemini-3-flash-preview", "gemini-1.5-pro"}
    assert "gemini-2.5-pro" not in listed
    assert set(flashes) - {"gemini-robotics-er-2-preview"} <= set(listed)
    assert len(listed) == len(set(listed))
    assert [several.get(name) for name in listed] == list(several.models)


def test_a_strict_server_of_several_engines_serves_what_is_listed() -> None:
    engines = Engines([config("all", "*", "our-model")], strict=True)

    assert [engines.get(served.name).name for served in engines.models][-2:] == ["our-model", "all-1"]
    with pytest.raises(NotFound, match="--strict-models"):
        engines.get("gemini-2.5-flahs")


async def started(*engines: Slow) -> tuple[Engines, list[str]]:
    """Start engines that answer by their place, and note what becomes of each."""
    configs = [
        EngineConfig(f"e{place}", "script", engine, (f"gemini-{place}*",))
        for place, engine in enumerate(engines)
    ]
    seen: list[str] = []

    def note(status: EngineStatus) -> None:
        seen.append(f"{status.name} {status.state}")

    server = Engines(configs)
    server.on_change = note
    server.start()
    return server, seen


async def test_one_that_cannot_be_loaded_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    broken, fine = Slow(RuntimeError("no weights"), "broken-1"), Slow(model="fine-1")
    engines, seen = await started(fine, broken)
    assert not engines.ready

    broken.go.set()
    with pytest.raises(Unavailable, match="could not be loaded") as refusal:
        await engines.get("broken-1").backend.loaded()
    assert not engines.ready
    fine.go.set()
    await engines.get("fine-1").backend.loaded()
    await asyncio.sleep(0)

    assert engines.ready
    assert "no weights" not in refusal.value.message
    assert "the engine e1 could not be loaded" in caplog.text
    assert "no weights" in caplog.text
    assert seen == ["e1 failed", "e0 ready"]
    assert [str(status) for status in engines.statuses] == [
        "e0 (script, fine-1) answers gemini-0* fine-1: ready",
        "e1 (script, broken-1) answers gemini-1* broken-1: failed",
    ]
    assert [served.name for served in engines.models][-2:] == ["fine-1", "broken-1"]
    await engines.stop()


async def test_a_server_without_any_engine_that_loaded_is_not_ready() -> None:
    engine = Slow(RuntimeError("no weights"))
    engine.go.set()
    engines, _ = await started(engine, engine)
    with pytest.raises(Unavailable):
        await engines.get("gemini-1.5-pro").backend.loaded()

    assert [status.state for status in engines.statuses] == ["failed", "failed"]
    assert not engines.ready
    await engines.stop()


async def test_one_that_cannot_be_stopped_does_not_keep_the_others_from_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, fine = Slow(RuntimeError("stuck"), "broken-1"), Slow(model="fine-1")
    engines, _ = await started(broken, fine)

    await engines.stop()

    assert fine.stopped
    assert "the engine e0 could not be stopped" in caplog.text


async def test_requests_wait_until_the_engine_has_loaded() -> None:
    engine = Slow()
    engines = Engines.single(engine)
    engines.start()
    waiting = asyncio.create_task(engines.get("twinlens-script").backend.loaded())
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
    engines = Engines.single(engine)
    with caplog.at_level(logging.ERROR):
        engines.start()
        with pytest.raises(Unavailable, match="could not be loaded"):
            await engines.get("twinlens-script").backend.loaded()
        await asyncio.sleep(0)

    assert not engines.ready
    assert engines.failure == "no weights"
    assert "could not be loaded" in caplog.text
    await engines.stop()


async def test_stopping_ends_a_load_that_still_runs() -> None:
    engines = Engines.single(Slow())
    engines.start()

    await engines.stop()

    assert not engines.ready
