from __future__ import annotations

import asyncio

import pytest

from twinlens.concurrency.lru import LRU, AsyncLRU


async def test_what_is_known_is_not_found_out_again() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)
    asked = []

    async def compute() -> str:
        asked.append("a")
        return "known"

    found = [await memory.get_or_compute("a", compute) for _ in range(2)]

    assert found == ["known", "known"]
    assert asked == ["a"]


async def test_what_has_not_been_used_for_longest_goes_first() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)
    asked = []

    async def recall(key: str) -> None:
        async def compute() -> str:
            asked.append(key)
            return key * 4

        await memory.get_or_compute(key, compute)

    for key in ("a", "b", "a", "c", "a", "b"):
        await recall(key)

    assert asked == ["a", "b", "c", "b"]


async def test_who_asks_meanwhile_waits_for_the_same() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)
    asked, done = [], asyncio.Event()

    async def compute() -> str:
        asked.append("a")
        await done.wait()
        return "known"

    waiting = [asyncio.create_task(memory.get_or_compute("a", compute)) for _ in range(4)]
    await asyncio.sleep(0)
    done.set()

    assert await asyncio.gather(*waiting) == ["known"] * 4
    assert asked == ["a"]


async def test_cancelling_one_takes_nothing_from_the_others() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)
    done = asyncio.Event()

    async def compute() -> str:
        await done.wait()
        return "known"

    first, second = [asyncio.create_task(memory.get_or_compute("a", compute)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    done.set()

    assert first.cancelled()
    assert await second == "known"


async def test_the_work_ends_when_nobody_waits_any_more() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)
    ended = []

    async def compute() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("a")
        return ""

    waiting = [asyncio.create_task(memory.get_or_compute("a", compute)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)

    assert ended == ["a"]


async def test_a_failure_is_not_remembered() -> None:
    memory: AsyncLRU[str, str] = AsyncLRU(10, len)

    async def fail() -> str:
        raise LookupError

    async def compute() -> str:
        return "known"

    with pytest.raises(LookupError):
        await memory.get_or_compute("a", fail)

    assert await memory.get_or_compute("a", compute) == "known"


async def test_none_is_a_value_like_any_other() -> None:
    memory: AsyncLRU[str, None] = AsyncLRU()
    asked = []

    async def compute() -> None:
        asked.append("a")

    await memory.get_or_compute("a", compute)
    await memory.get_or_compute("a", compute)

    assert asked == ["a"]


async def test_what_is_forgotten_is_computed_again() -> None:
    memory: AsyncLRU[str, int] = AsyncLRU()
    asked = []

    async def compute() -> int:
        asked.append("a")
        return len(asked)

    await memory.get_or_compute("a", compute)
    memory.clear()

    assert await memory.get_or_compute("a", compute) == 2


def test_what_was_read_is_used() -> None:
    cache: LRU[str, int] = LRU(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1

    cache.put("c", 3)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert len(cache) == 2


def test_what_is_too_heavy_drives_out_nothing() -> None:
    cache: LRU[str, str] = LRU(10, len)
    cache.put("a", "light")
    cache.put("b", "too heavy by itself")

    assert set(cache) == {"a"}


def test_a_value_can_be_taken_out() -> None:
    cache: LRU[str, int] = LRU(2)
    cache.put("a", 1)

    assert (cache.pop("a"), cache.pop("a"), "a" in cache) == (1, None, False)


def test_what_is_listed_has_not_been_used() -> None:
    cache: LRU[str, int] = LRU()
    cache.put("a", 1)
    cache.put("b", 2)

    assert sorted(cache.items()) == [("a", 1), ("b", 2)]
    assert [cache.pop_oldest(), cache.pop_oldest()] == [("a", 1), ("b", 2)]
