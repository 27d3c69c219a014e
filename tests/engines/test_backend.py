"""The turns of one engine: how many at a time, who waits, and who is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from twinlens.domain.errors import ResourceExhausted, Unavailable
from twinlens.engines.backend import Backend, EngineConfig
from twinlens.engines.script import ScriptEngine


class Broken(ScriptEngine):
    """An engine that cannot be loaded."""

    async def start(self) -> None:
        raise RuntimeError("no weights")


class Crowd:
    """Requests that hold a turn, or wait for one, until they are let go."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.inside: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.go = asyncio.Event()

    async def send(self, name: str, project: str = "p", *, patient: bool = False) -> asyncio.Task[None]:
        async def ask() -> None:
            async with self.backend.turn(project, patient=patient):
                self.inside.append(name)
                await self.go.wait()

        self.tasks.append(asyncio.create_task(ask()))
        for _ in range(10):
            await asyncio.sleep(0)
        return self.tasks[-1]


Crowded = Callable[..., Crowd]


@pytest.fixture
async def crowd() -> AsyncIterator[Crowded]:
    crowds: list[Crowd] = []

    def make(concurrency: int | None, queue: int = 1, *, alone: bool = True, loads: bool = True) -> Crowd:
        engine = (ScriptEngine if loads else Broken)(ScriptEngine.Options())
        config = EngineConfig("e", "script", engine, concurrency=concurrency, queue=queue)
        backend = Backend(config, alone=alone)
        backend.start(lambda _: None)
        crowds.append(Crowd(backend))
        return crowds[-1]

    yield make
    for each in crowds:
        each.go.set()
        await asyncio.gather(*each.tasks, return_exceptions=True)
        await each.backend.stop()


async def test_as_many_are_answered_at_a_time_as_are_allowed(crowd: Crowded) -> None:
    some = crowd(2, queue=1)
    for name in "abc":
        await some.send(name)
    assert some.inside == ["a", "b"]

    some.go.set()
    await asyncio.gather(*some.tasks)

    assert some.inside == ["a", "b", "c"]


async def test_more_than_may_wait_are_refused_and_told_when_to_come_back(crowd: Crowded) -> None:
    some = crowd(1, queue=1)
    await some.send("a")
    await some.send("b")

    with pytest.raises(ResourceExhausted) as refusal:
        await (await some.send("c"))

    assert refusal.value.retry_after_s == 1.0


async def test_who_is_patient_is_not_refused(crowd: Crowded) -> None:
    some = crowd(1, queue=0)
    await some.send("a")
    late = await some.send("b", patient=True)
    assert not late.done()

    some.go.set()
    await late

    assert some.inside == ["a", "b"]


async def test_who_leaves_while_waiting_makes_room(crowd: Crowded) -> None:
    some = crowd(1, queue=1)
    await some.send("a")
    (await some.send("b")).cancel()

    waiting = await some.send("c")

    assert not waiting.done()


async def test_another_project_finds_a_place_however_much_one_asks(crowd: Crowded) -> None:
    some = crowd(2, queue=2, alone=False)
    for name in "abc":
        await some.send(name, "greedy")

    await some.send("other", "modest")

    assert some.inside == ["a", "other"]


async def test_without_a_limit_all_are_answered_at_once(crowd: Crowded) -> None:
    some = crowd(None)
    for name in "abcdefgh":
        await some.send(name)

    assert some.inside == list("abcdefgh")


@pytest.mark.parametrize("concurrency", [None, 1])
async def test_an_engine_that_could_not_be_loaded_refuses_at_once(
    crowd: Crowded, concurrency: int | None
) -> None:
    some = crowd(concurrency, loads=False)

    for name in "abcd":
        with pytest.raises(Unavailable, match="could not be loaded"):
            await (await some.send(name))

    assert some.backend.failure == "no weights"
