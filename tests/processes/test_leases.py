"""Workers that are leased by one caller each."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest

from offers import OFFERS
from twinlens.domain.errors import Unavailable
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.leases import LeasedWorkers, streamed


@pytest.fixture
async def leased(forks: ForkServer) -> AsyncIterator[LeasedWorkers]:
    workers = LeasedWorkers(forks, OFFERS, keep=1)
    await workers.start()
    yield workers
    await workers.stop()


async def test_a_lease_is_for_one_at_a_time(leased: LeasedWorkers) -> None:
    async with leased.lease("", {}) as first, leased.lease("", {}) as second:
        pids = {await first.call("pid"), await second.call("pid")}

    assert len(pids) == 2


async def test_no_caller_waits_for_another(leased: LeasedWorkers) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(5):
            busy = await stack.enter_async_context(leased.lease("", {}))
            stack.push_async_callback(asyncio.gather, asyncio.create_task(busy.call("block", 0.5)))

        async with leased.lease("", {}) as peer:
            assert await peer.call("add", 1, 1) == 2


async def test_only_so_many_stay_when_idle(leased: LeasedWorkers) -> None:
    async with leased.lease("", {}), leased.lease("", {}), leased.lease("", {}):
        pass

    assert len(leased.pids) == 1


async def test_who_asks_again_gets_the_same_worker(forks: ForkServer) -> None:
    leased = LeasedWorkers(forks, OFFERS, keep=2)
    async with leased.lease("one", {}) as one, leased.lease("other", {}) as other:
        pids = {"one": await one.call("pid"), "other": await other.call("pid")}
    again = {}
    for key in ("one", "other", "one"):
        async with leased.lease(key, {}) as peer:
            again[key] = await peer.call("pid")
    await leased.stop()

    assert again == pids


async def test_what_is_given_up_and_does_not_stop_ends_with_its_worker(leased: LeasedWorkers) -> None:
    async with leased.lease("", {}) as peer:
        pid = await peer.call("pid")
        call = asyncio.create_task(peer.call("block", 600))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    await leased.settled()

    assert pid not in leased.pids


async def test_what_is_given_up_and_stops_costs_no_worker(leased: LeasedWorkers) -> None:
    async with aclosing(streamed(leased, "", {}, "count", 10**9)) as items:
        first = await anext(items)
    (pid,) = await asyncio.gather(_after(leased))

    assert first == 0
    assert pid in leased.pids


async def _after(leased: LeasedWorkers) -> int:
    await leased.settled()
    async with leased.lease("", {}) as peer:
        pid: int = await peer.call("pid")
    return pid


async def test_a_worker_killed_while_idle_is_replaced_unseen(leased: LeasedWorkers) -> None:
    (pid,) = leased.pids
    os.kill(pid, signal.SIGKILL)

    assert [item async for item in streamed(leased, "", {}, "count", 3)] == [0, 1, 2]


async def test_all_workers_may_have_ended_unseen(forks: ForkServer, leased: LeasedWorkers) -> None:
    assert forks.pid is not None
    os.kill(forks.pid, signal.SIGKILL)

    assert [item async for item in streamed(leased, "", {}, "count", 3)] == [0, 1, 2]


async def test_a_worker_that_was_stopped_is_replaced_while_its_caller_waits(leased: LeasedWorkers) -> None:
    (pid,) = leased.pids
    os.kill(pid, signal.SIGSTOP)

    assert [item async for item in streamed(leased, "", {}, "count", 3)] == [0, 1, 2]


async def test_a_stream_that_kills_every_worker_is_given_up(leased: LeasedWorkers) -> None:
    with pytest.raises(Unavailable, match=r"^The process that answers ended"):
        [item async for item in streamed(leased, "", {}, "die", 3)]
