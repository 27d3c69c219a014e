from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinlens.domain.engine_media import StillImage
from twinlens.engines.builtin.eyes import Eyes
from twinlens.engines.builtin.facts import FactName
from twinlens.processes.fork_server import ForkServer

SIZES: frozenset[FactName] = frozenset()


async def test_a_picture_waits_for_one_of_very_many_and_not_for_all(
    forks: ForkServer, picture: Callable[..., StillImage]
) -> None:
    eyes = Eyes(forks)
    done: list[str] = []

    async def frame(number: int) -> None:
        await eyes.look_in_turn(await picture().load(), SIZES)
        done.append(f"frame {number}")

    try:
        frames = [asyncio.create_task(frame(number)) for number in range(6)]
        await asyncio.sleep(0)
        await eyes.look(await picture().load(), SIZES)
        done.append("picture")
        await asyncio.gather(*frames)
    finally:
        await eyes.stop()

    assert done.index("picture") <= 2
    assert len(done) == 7
