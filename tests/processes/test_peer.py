"""Calls between two processes, over a real worker."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing

import numpy as np
import pytest

from twinlens.domain.errors import ResourceExhausted
from twinlens.processes.calls import PeerLost, RemoteError
from twinlens.processes.workers import Worker


async def test_a_call_has_a_result(worker: Worker) -> None:
    assert await worker.peer.call("add", 2, 3) == 5


async def test_calls_may_cross(worker: Worker) -> None:
    waiting = asyncio.create_task(worker.peer.call("wait"))

    assert await worker.peer.call("add", 1, 1) == 2
    waiting.cancel()


async def test_arrays_go_there_and_back(worker: Worker) -> None:
    array = np.ones((400, 600, 3), np.uint8)

    doubled = await worker.peer.call("double", array)

    np.testing.assert_array_equal(doubled, array * 2)


async def test_a_stream_gives_its_items_in_order(worker: Worker) -> None:
    assert [item async for item in worker.peer.stream("count", 50, ahead=4)] == list(range(50))


async def test_a_stream_may_be_left_early(worker: Worker) -> None:
    async with aclosing(worker.peer.stream("count", 10**9)) as items:
        first = await anext(items)
    await worker.peer.settled()

    assert first == 0
    assert worker.peer.load == 0


async def test_steps_give_their_result(worker: Worker) -> None:
    assert await worker.peer.call("steps", 2) == 2


async def test_long_steps_make_way_for_short_ones(worker: Worker) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(await worker.peer.call("steps", number))

    await asyncio.gather(work(20), work(1), work(2))

    assert done == [1, 2, 20]


async def test_the_worker_may_call_back(worker: Worker) -> None:
    worker.peer.handlers = {"name": lambda: "server"}

    assert await worker.peer.call("ask_back", "name") == "server"


async def test_only_what_is_offered_can_be_called(worker: Worker) -> None:
    with pytest.raises(RemoteError, match="there is no 'name' to call"):
        await worker.peer.call("ask_back", "name")


async def test_our_errors_arrive_whole(worker: Worker) -> None:
    with pytest.raises(ResourceExhausted, match="Enough") as caught:
        await worker.peer.call("refuse")

    assert caught.value.retry_after_s == 7.0


async def test_other_errors_arrive_as_text(worker: Worker) -> None:
    with pytest.raises(RemoteError, match="LookupError: no such thing"):
        await worker.peer.call("break")


async def test_the_end_of_the_process_ends_its_calls(worker: Worker) -> None:
    with pytest.raises(PeerLost):
        await worker.peer.call("die", 3)

    with pytest.raises(PeerLost):
        await worker.peer.call("add", 1, 1)


async def test_what_is_given_up_is_ended_there(worker: Worker) -> None:
    waiting = asyncio.create_task(worker.peer.call("wait"))
    await worker.peer.call("add", 1, 1)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await worker.peer.settled()

    assert worker.is_alive
    assert worker.peer.load == 0


@pytest.mark.parametrize("stuck", ["blocked", "stopped"])
async def test_who_does_not_stop_is_killed(worker: Worker, stuck: str) -> None:
    call = asyncio.create_task(worker.peer.call("block", 600))
    await asyncio.sleep(0.05)
    if stuck == "stopped":
        os.kill(worker.pid, signal.SIGSTOP)

    call.cancel()
    await worker.gone()

    assert not worker.is_alive
