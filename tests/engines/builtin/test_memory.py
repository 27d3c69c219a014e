from __future__ import annotations

import asyncio

import pytest

from twinlens.engines.builtin.memory import Memory


async def test_what_is_known_is_not_found_out_again() -> None:
    memory: Memory[str, str] = Memory(10, len)
    asked = []

    async def find_out() -> str:
        asked.append("a")
        return "known"

    found = [await memory.recall("a", find_out) for _ in range(2)]

    assert found == ["known", "known"]
    assert asked == ["a"]


async def test_what_has_not_been_used_for_longest_goes_first() -> None:
    memory: Memory[str, str] = Memory(10, len)
    asked = []

    async def recall(key: str) -> None:
        async def find_out() -> str:
            asked.append(key)
            return key * 4

        await memory.recall(key, find_out)

    for key in ("a", "b", "a", "c", "a", "b"):
        await recall(key)

    assert asked == ["a", "b", "c", "b"]


async def test_who_asks_meanwhile_waits_for_the_same() -> None:
    memory: Memory[str, str] = Memory(10, len)
    asked, done = [], asyncio.Event()

    async def find_out() -> str:
        asked.append("a")
        await done.wait()
        return "known"

    waiting = [asyncio.create_task(memory.recall("a", find_out)) for _ in range(4)]
    await asyncio.sleep(0)
    done.set()

    assert await asyncio.gather(*waiting) == ["known"] * 4
    assert asked == ["a"]


async def test_cancelling_one_takes_nothing_from_the_others() -> None:
    memory: Memory[str, str] = Memory(10, len)
    done = asyncio.Event()

    async def find_out() -> str:
        await done.wait()
        return "known"

    first, second = [asyncio.create_task(memory.recall("a", find_out)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    done.set()

    assert first.cancelled()
    assert await second == "known"


async def test_the_work_ends_when_nobody_waits_any_more() -> None:
    memory: Memory[str, str] = Memory(10, len)
    ended = []

    async def find_out() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("a")
        return ""

    waiting = [asyncio.create_task(memory.recall("a", find_out)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)

    assert ended == ["a"]


async def test_a_failure_is_not_remembered() -> None:
    memory: Memory[str, str] = Memory(10, len)

    async def fail() -> str:
        raise LookupError

    async def find_out() -> str:
        return "known"

    with pytest.raises(LookupError):
        await memory.recall("a", fail)

    assert await memory.recall("a", find_out) == "known"
