"""Work that is shared."""

from __future__ import annotations

import asyncio
import gc

import pytest

from twinlens.concurrency.single_flight import SingleFlight


async def test_work_that_is_asked_for_twice_is_done_once() -> None:
    flights: SingleFlight[int] = SingleFlight()
    done = 0

    async def work() -> int:
        nonlocal done
        await asyncio.sleep(0)
        done += 1
        return done

    assert await asyncio.gather(*(flights.do("a", work) for _ in range(3))) == [1, 1, 1]
    assert flights.joined == 2
    assert await flights.do("a", work) == 2


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    flights: SingleFlight[int] = SingleFlight()
    go_on = asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        return 7

    first, second = (asyncio.create_task(flights.do("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    go_on.set()

    assert await second == 7


async def test_work_that_nobody_waits_for_is_given_up() -> None:
    flights: SingleFlight[None] = SingleFlight()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    only = asyncio.create_task(flights.do("a", work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    only.cancel()

    await asyncio.wait_for(ended.wait(), 60)


async def test_a_failure_is_everybodys_and_not_remembered() -> None:
    flights: SingleFlight[int] = SingleFlight()

    async def failing() -> int:
        raise ValueError("no")

    async def working() -> int:
        return 1

    with pytest.raises(ValueError, match="no"):
        await flights.do("a", failing)
    assert await flights.do("a", working) == 1


async def test_work_that_was_given_up_has_ended_before_its_caller_goes_on() -> None:
    flights: SingleFlight[None] = SingleFlight()
    begun, ended = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    only = asyncio.create_task(flights.do("a", work))
    await begun.wait()
    only.cancel()
    await asyncio.wait([only])

    assert only.cancelled()
    assert ended == ["closed"]


async def test_work_that_was_started_goes_on_although_nobody_waits() -> None:
    flights: SingleFlight[int] = SingleFlight()
    go_on = asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        return 7

    task = flights.start("a", work)
    impatient = asyncio.create_task(flights.do("a", work))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    go_on.set()

    assert "a" in flights
    assert await task == 7
    assert "a" not in flights


async def test_work_is_started_once_until_it_has_ended() -> None:
    flights: SingleFlight[None] = SingleFlight()

    async def work() -> None:
        await asyncio.sleep(0)

    first = flights.start("a", work)
    assert flights.start("a", work) is first

    await first

    assert flights.start("a", work) is not first


async def test_stopping_ends_all_work() -> None:
    flights: SingleFlight[None] = SingleFlight()

    async def work() -> None:
        await asyncio.Event().wait()

    tasks = [flights.start(key, work) for key in "ab"]
    await flights.stop()

    assert [task.cancelled() for task in tasks] == [True, True]


async def test_a_failure_that_nobody_waits_for_is_taken_note_of() -> None:
    flights: SingleFlight[None] = SingleFlight()
    said: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["message"]))

    async def fail() -> None:
        raise ValueError("no")

    await asyncio.wait([flights.start("a", fail)])
    gc.collect()

    assert said == []
