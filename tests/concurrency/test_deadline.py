"""The time until which work must be done."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.concurrency.deadline import until
from twinlens.domain.errors import DeadlineExceeded


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_work_that_is_done_in_time_is_done() -> None:
    async with until(now() + 3600):
        await asyncio.sleep(0)


async def test_work_that_takes_longer_is_ended() -> None:
    ended = []

    async def work() -> None:
        async with until(now()):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("work")

    with pytest.raises(DeadlineExceeded):
        await work()

    assert ended == ["work"]


async def test_a_time_out_of_the_work_itself_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError):
        async with until(now() + 3600):
            raise TimeoutError
