"""Several steps of one request at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
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
