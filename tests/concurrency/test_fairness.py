"""What one project may have of what all share."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from twinlens.concurrency.fairness import FairSemaphore, ProjectCounts, share_of_one


@pytest.mark.parametrize(("total", "share"), [(0, 0), (1, 1), (2, 1), (4, 3), (32, 24)])
def test_one_project_has_three_quarters_and_never_nothing(total: int, share: int) -> None:
    assert share_of_one(total) == share
    assert share_of_one(total, alone=True) == total


def test_whoever_holds_nothing_is_forgotten() -> None:
    counts = ProjectCounts()
    counts["a"] += 2
    counts.drop("a")
    assert dict(counts) == {"a": 1}

    counts.drop("a")

    assert not counts


async def waiting(semaphore: FairSemaphore, project: str, order: list[str]) -> None:
    async with semaphore.turn(project):
        order.append(project)


async def test_the_next_turn_is_that_of_the_project_that_has_the_fewest() -> None:
    semaphore, order = FairSemaphore(4), list[str]()
    async with AsyncExitStack() as stack:
        first = AsyncExitStack()
        for each in (stack, stack, first):
            await each.enter_async_context(semaphore.turn("greedy"))
        await stack.enter_async_context(semaphore.turn("other"))
        tasks = [asyncio.create_task(waiting(semaphore, name, order)) for name in ("greedy", "new")]
        await asyncio.sleep(0)
        await first.aclose()
        await asyncio.gather(*tasks)

    assert order == ["new", "greedy"]


async def test_one_project_never_has_all_turns() -> None:
    semaphore = FairSemaphore(4)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(semaphore.turn("greedy"))

        assert semaphore.locked("greedy")
        assert not semaphore.locked("other")


async def test_who_gives_up_while_waiting_keeps_no_turn() -> None:
    semaphore = FairSemaphore(1)
    async with semaphore.turn("a"):
        impatient = asyncio.create_task(waiting(semaphore, "b", []))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])

    assert not semaphore.locked("b")
