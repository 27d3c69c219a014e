"""Steps side by side."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from twinlens.concurrency.tasks import gather, read_ahead
from twinlens.domain.errors import BadMedia


async def test_results_come_in_order_although_steps_end_in_any() -> None:
    async def step(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        return number

    assert await gather(step(number) for number in range(3)) == [0, 1, 2]


async def test_the_first_failure_is_raised_as_it_is_and_ends_the_others() -> None:
    ended = False

    async def slow() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        finally:
            ended = True

    async def failing() -> None:
        raise BadMedia("not valid")

    with pytest.raises(BadMedia, match="not valid"):
        await gather([slow(), failing()])

    assert ended


class Held:
    """What a step holds on to."""


async def test_what_cancelled_steps_held_is_let_go_at_once() -> None:
    held, all_run = weakref.WeakSet[Held](), asyncio.Event()

    async def step() -> None:
        medium = Held()
        held.add(medium)
        if len(held) == 3:
            all_run.set()
        await asyncio.sleep(60)

    async def two_levels() -> None:
        await gather([gather([step(), step()]), step()])

    gc.disable()
    try:
        task = asyncio.create_task(two_levels())
        await all_run.wait()
        task.cancel()
        await asyncio.wait([task])
        del task

        assert not held
    finally:
        gc.enable()


async def numbers(made: list[int]) -> AsyncGenerator[int, None]:
    try:
        for number in range(3):
            made.append(number)
            yield number
    finally:
        made.append(-1)


async def test_the_next_is_made_while_the_last_is_used() -> None:
    made: list[int] = []

    async with aclosing(read_ahead(numbers(made))) as given:
        assert await anext(given) == 0
        await asyncio.sleep(0)

        assert made == [0, 1]


async def test_all_are_given_in_order_and_the_source_is_closed() -> None:
    made: list[int] = []

    assert [number async for number in read_ahead(numbers(made))] == [0, 1, 2]

    assert made == [0, 1, 2, -1]


async def test_who_stops_early_closes_the_source() -> None:
    made: list[int] = []

    async with aclosing(read_ahead(numbers(made))) as given:
        await anext(given)

    assert made[-1] == -1


async def test_a_failure_comes_when_its_turn_is_there() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("second")

    given = read_ahead(failing())

    assert await anext(given) == 1
    with pytest.raises(ValueError, match="second"):
        await anext(given)


async def test_steps_that_never_begin_are_given_up_in_order() -> None:
    async def fails() -> None:
        raise ValueError("first")

    async def waits() -> None:
        await asyncio.sleep(60)

    # A coroutine that is never awaited is a warning, and a warning is an error here.
    with pytest.raises(ValueError, match="first"):
        await gather([fails(), *(waits() for _ in range(20))], at_once=2)
