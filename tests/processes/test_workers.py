"""Workers that many calls share."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from offers import OFFERS
from twinlens.domain.errors import Internal, Unavailable
from twinlens.processes.fork_server import ForkServer
from twinlens.processes.workers import SharedWorkers


@pytest.fixture
async def shared(forks: ForkServer) -> AsyncIterator[SharedWorkers]:
    workers = SharedWorkers(forks, OFFERS, 1, "adds numbers", first=("add", 1, 1))
    await workers.start()
    yield workers
    await workers.stop()


async def test_calls_share_a_worker(shared: SharedWorkers) -> None:
    pids = await asyncio.gather(*(shared.call("pid") for _ in range(5)))

    assert set(pids) == set(shared.pids)


async def test_a_fault_of_ours_costs_no_process(shared: SharedWorkers) -> None:
    before = shared.pids

    with pytest.raises(Internal):
        await shared.call("break")

    assert shared.pids == before


async def test_what_a_dead_worker_had_to_do_is_done_by_the_next(shared: SharedWorkers) -> None:
    (pid,) = shared.pids
    os.kill(pid, signal.SIGSTOP)
    call = asyncio.create_task(shared.call("add", 20, 3))
    await asyncio.sleep(0.05)

    os.kill(pid, signal.SIGKILL)

    assert await call == 23


async def test_a_call_that_kills_every_worker_is_given_up(shared: SharedWorkers) -> None:
    with pytest.raises(Unavailable, match=r"^The process that adds numbers ended"):
        await shared.call("die", 3)

    assert await shared.call("add", 1, 2) == 3


async def test_a_worker_that_hangs_is_replaced_when_a_caller_leaves(shared: SharedWorkers) -> None:
    (hung,) = shared.pids
    os.kill(hung, signal.SIGSTOP)
    leaving = asyncio.create_task(shared.call("add", 1, 1))
    staying = asyncio.create_task(shared.call("add", 2, 2))
    await asyncio.sleep(0.05)

    leaving.cancel()

    assert await staying == 4
    assert hung not in shared.pids
