"""Who may take how much memory for a body, and who has to wait for it."""

from __future__ import annotations

import asyncio

from twinlens.concurrency.body_memory import FREE_BYTES, BodyMemory

LARGE = FREE_BYTES + 1000


async def waits(growing: asyncio.Task[None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not growing.done()


async def test_small_bodies_need_no_room() -> None:
    full = BodyMemory(0)
    await full.reserve("p").grow(LARGE)

    for _ in range(1000):
        await asyncio.wait_for(full.reserve("p").grow(FREE_BYTES), 1)


async def test_a_body_waits_for_room_until_another_is_put_down() -> None:
    body_memory = BodyMemory(1500)
    first, beyond, third = (body_memory.reserve("p") for _ in range(3))
    await first.grow(LARGE)
    await beyond.grow(LARGE)
    growing = asyncio.create_task(third.grow(LARGE))
    assert await waits(growing)

    beyond.close()

    await asyncio.wait_for(growing, 1)


async def test_where_all_are_half_way_one_goes_beyond_and_makes_room() -> None:
    body_memory = BodyMemory(2000)
    shares = [body_memory.reserve("p") for _ in range(4)]
    for reservation in shares:
        await reservation.grow(FREE_BYTES + 500)

    async def finish(number: int) -> None:
        with shares[number] as reservation:
            await reservation.grow(5000)

    await asyncio.wait_for(asyncio.gather(*map(finish, range(4))), 5)


async def test_one_who_waits_and_leaves_holds_up_nobody() -> None:
    body_memory = BodyMemory(0)
    beyond, leaving = body_memory.reserve("p"), body_memory.reserve("p")
    await beyond.grow(LARGE)
    growing = asyncio.create_task(leaving.grow(LARGE))
    assert await waits(growing)

    growing.cancel()
    leaving.close()
    beyond.close()

    await asyncio.wait_for(body_memory.reserve("p").grow(LARGE), 1)


async def test_a_share_is_given_back_once() -> None:
    body_memory = BodyMemory(2000)
    first = body_memory.reserve("p")
    await first.grow(LARGE)
    first.close()
    first.close()
    await body_memory.reserve("p").grow(LARGE)
    await body_memory.reserve("p").grow(LARGE)

    assert await waits(asyncio.create_task(body_memory.reserve("p").grow(LARGE)))


async def test_one_project_leaves_room_to_others() -> None:
    body_memory = BodyMemory(4000)
    hostile = [body_memory.reserve("hostile") for _ in range(5)]
    for reservation in hostile[:4]:
        await reservation.grow(LARGE)
    assert await waits(asyncio.create_task(hostile[4].grow(LARGE)))

    await asyncio.wait_for(body_memory.reserve("other").grow(LARGE), 60)


async def test_one_of_each_project_goes_beyond() -> None:
    full = BodyMemory(0)
    hostile = full.reserve("hostile")
    await hostile.grow(LARGE)

    await asyncio.wait_for(full.reserve("other").grow(LARGE), 60)

    assert await waits(asyncio.create_task(full.reserve("other").grow(LARGE)))


async def test_room_that_a_project_makes_is_its_own_again() -> None:
    body_memory = BodyMemory(4000)
    shares = [body_memory.reserve("p") for _ in range(5)]
    for reservation in shares[:4]:
        await reservation.grow(LARGE)
    growing = asyncio.create_task(shares[4].grow(LARGE))
    assert await waits(growing)

    shares[0].close()
    shares[1].close()

    await asyncio.wait_for(growing, 60)
