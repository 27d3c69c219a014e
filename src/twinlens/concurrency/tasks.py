"""Run several steps of one request concurrently, or one step ahead of its consumer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, TypeVar

T = TypeVar("T")


async def gather(steps: Iterable[Coroutine[Any, Any, T]], *, at_once: int | None = None) -> list[T]:
    """Run all steps at once, or so many of them at a time, and give their results in order.

    The first failure cancels the others and is raised as it is, not as a group: a response has one error.
    """
    steps = waiting = list(steps)
    if len(steps) <= 1:
        return [await step for step in steps]
    if at_once is not None:
        places = asyncio.Semaphore(at_once)
        steps = [_placed(step, places) for step in steps]
    try:
        return await _all(steps)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures.exceptions[0].__cause__
    except asyncio.CancelledError as cancelled:
        # Its frames know the group, and that knows this task, which ends with it: a cycle, media and all.
        raise cancelled.with_traceback(None) from None
    finally:
        # Those that have not begun never will.
        for step in waiting:
            step.close()


async def _all(steps: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(step) for step in steps]
    return [task.result() for task in tasks]


async def _placed(step: Coroutine[Any, Any, T], places: asyncio.Semaphore) -> T:
    async with places:
        return await step


async def read_ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the items of a source, computing the next while the last is being used."""
    async with aclosing(source):
        coming = asyncio.create_task(_next(source))
        try:
            while (made := await coming) is not None:
                coming = asyncio.create_task(_next(source))
                yield made[0]
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _next(source: AsyncGenerator[T, None]) -> tuple[T] | None:
    async for made in source:
        return (made,)
    return None
