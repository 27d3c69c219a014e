"""Room for pixels."""

from __future__ import annotations

import asyncio

import pytest

from twinlens.concurrency.pixel_limiter import PixelLimiter
from twinlens.domain.errors import InvalidArgument


async def test_what_fits_goes_in_at_once() -> None:
    room = PixelLimiter(100)

    async with asyncio.timeout(60), room.take(60), room.take(40), room.take(0):
        pass


async def test_what_does_not_fit_waits_until_there_is_room() -> None:
    room, order = PixelLimiter(100), []

    async def hold(name: str, pixels: int) -> None:
        async with room.take(pixels):
            order.append(name)
            await asyncio.sleep(0.01)
            order.append(f"{name} left")

    await asyncio.gather(hold("first", 60), hold("second", 60))

    assert order == ["first", "first left", "second", "second left"]


async def test_a_large_request_is_not_overtaken_for_ever() -> None:
    room, order = PixelLimiter(100), []

    async def hold(name: str, pixels: int) -> None:
        async with room.take(pixels):
            order.append(name)
            await asyncio.sleep(0.01)

    await asyncio.gather(hold("a", 60), hold("large", 100), hold("b", 10))

    assert order == ["a", "large", "b"]


async def test_what_will_never_fit_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="101 pixels"):
        async with PixelLimiter(100).take(101):
            pass


async def test_room_comes_back_after_a_failure() -> None:
    room = PixelLimiter(100)
    with pytest.raises(RuntimeError):
        async with room.take(100):
            raise RuntimeError

    async with asyncio.timeout(60), room.take(100):
        pass


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    room = PixelLimiter(100)
    async with room.take(100):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), room.take(1):
                pass

    async with asyncio.timeout(60), room.take(100):
        pass
