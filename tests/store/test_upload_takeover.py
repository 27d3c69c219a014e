"""Turns: the newest request writes, and a look waits for no more than a step."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.domain.errors import FailedPrecondition
from twinlens.store.upload_takeover import UploadTakeover


async def test_a_newer_request_takes_over() -> None:
    turns = UploadTakeover()

    async with turns.take("upload") as old, turns.take("upload") as new:
        with pytest.raises(FailedPrecondition, match="taken over"):
            async with old.step():
                pass
        async with new.step():
            pass


async def test_a_pause_waits_for_the_step_under_way() -> None:
    turns, order = UploadTakeover(), list[str]()

    async def look() -> None:
        await turns.pause("upload")
        order.append("looked")

    async with turns.take("upload") as turn:
        async with turn.step():
            looking = asyncio.create_task(look())
            await asyncio.sleep(0)
            order.append("step done")
        await looking
        order.append("request done")

    assert order == ["step done", "looked", "request done"]


async def test_a_pause_waits_for_nobody_between_the_steps_of_a_request() -> None:
    turns = UploadTakeover()

    async with turns.take("upload"), turns.take("another") as another, another.step():
        await turns.pause("upload")
    await turns.pause("upload")
