"""Several steps of one request at the same time, or one before it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, TypeVar

T = TypeVar("T")


async def side_by_side(steps: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all steps at once and give their results in order.

    The first failure cancels the others and is raised as it is, not as a group: a caller is told of
    one thing that is wrong.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures.exceptions[0].__cause__
    return [task.result() for task in tasks]


async def ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Give what a source gives, and have it make the next while the last is being used."""
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
