"""Locks by name, and work that is waited for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from twinlens.concurrency.locks import Locks, in_thread, uncancelled


async def test_one_at_a_time_for_a_key() -> None:
    locks, order, inside = Locks(), list[str](), asyncio.Event()

    async def first() -> None:
        async with locks.hold("key"):
            inside.set()
            await asyncio.sleep(0)
            order.append("first")

    async def second() -> None:
        await inside.wait()
        async with locks.hold("key"):
            order.append("second")

    await asyncio.gather(second(), first())

    assert order == ["first", "second"]


async def test_other_keys_do_not_wait() -> None:
    locks = Locks()

    async with locks.hold("one"), locks.hold("other"):
        pass


async def test_a_cancelled_caller_goes_on_only_when_the_work_is_done() -> None:
    started, go_on, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        started.set()
        await go_on.wait()
        done.append("work")

    async def caller() -> None:
        try:
            await uncancelled(work())
        finally:
            done.append("caller")

    task = asyncio.create_task(caller())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert done == []
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work", "caller"]


async def test_a_thread_is_waited_for_although_the_caller_is_cancelled() -> None:
    started, go_on = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        go_on.wait()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_errors_of_the_work_are_the_callers() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_thread(work)
