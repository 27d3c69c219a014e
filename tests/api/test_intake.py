"""Who may take how much memory for a body, and who has to wait for it."""

from __future__ import annotations

import asyncio

from twinlens.api.intake import FREE_BYTES, Intake

LARGE = FREE_BYTES + 1000


async def waits(growing: asyncio.Task[None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not growing.done()


async def test_small_bodies_need_no_room() -> None:
    full = Intake(0)
    await full.share().grow(LARGE)

    for _ in range(1000):
        await asyncio.wait_for(full.share().grow(FREE_BYTES), 1)


async def test_a_body_waits_for_room_until_another_is_put_down() -> None:
    intake = Intake(1500)
    first, beyond, third = (intake.share() for _ in range(3))
    await first.grow(LARGE)
    await beyond.grow(LARGE)
    growing = asyncio.create_task(third.grow(LARGE))
    assert await waits(growing)

    beyond.close()

    await asyncio.wait_for(growing, 1)


async def test_where_all_are_half_way_one_goes_beyond_and_makes_room() -> None:
    intake = Intake(2000)
    shares = [intake.share() for _ in range(4)]
    for share in shares:
        await share.grow(FREE_BYTES + 500)

    async def finish(number: int) -> None:
        with shares[number] as share:
            await share.grow(5000)

    await asyncio.wait_for(asyncio.gather(*map(finish, range(4))), 5)


async def test_one_who_waits_and_leaves_holds_up_nobody() -> None:
    intake = Intake(0)
    beyond, leaving = intake.share(), intake.share()
    await beyond.grow(LARGE)
    growing = asyncio.create_task(leaving.grow(LARGE))
    assert await waits(growing)

    growing.cancel()
    leaving.close()
    beyond.close()

    await asyncio.wait_for(intake.share().grow(LARGE), 1)


async def test_a_share_is_given_back_once() -> None:
    intake = Intake(1000)
    first = intake.share()
    await first.grow(LARGE)
    first.close()
    first.close()
    await intake.share().grow(LARGE)
    await intake.share().grow(LARGE)

    assert await waits(asyncio.create_task(intake.share().grow(LARGE)))
