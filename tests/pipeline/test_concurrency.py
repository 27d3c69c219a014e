"""Steps side by side."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.domain.errors import BadMedia
from twinlens.pipeline.concurrency import side_by_side


async def test_results_come_in_order_although_steps_end_in_any() -> None:
    async def step(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        return number

    assert await side_by_side(step(number) for number in range(3)) == [0, 1, 2]


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
        await side_by_side([slow(), failing()])

    assert ended
