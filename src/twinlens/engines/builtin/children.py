"""Child processes that do heavy work, so that the server's own never waits for it.

They are started once and keep what they have loaded. One that dies takes its requests with it; the next
request finds new ones.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ...domain.errors import Internal, Unavailable

T = TypeVar("T")


class Children:
    """A pool of child processes; `duty` says what they do, as in “the process that looks at pictures”."""

    def __init__(self, processes: int, duty: str) -> None:
        self._processes = processes
        self._duty = duty
        self._pool: ProcessPoolExecutor | None = None

    async def stop(self) -> None:
        """End the processes; tasks that still wait are dropped."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def do(self, task: Callable[..., T], *arguments: object) -> T:
        """Have a function called in a child; see `told`."""
        pool, future = self._submitted(task, *arguments)
        try:
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as cause:
            self._drop(pool)
            raise Unavailable(f"The process that {self._duty} ended. Please try again.") from cause
        except ChildError as cause:
            raise Internal from cause

    def _submitted(self, task: Callable[..., T], *arguments: object) -> tuple[ProcessPoolExecutor, Future[T]]:
        """Hand a task to the pool; where a process died with nothing to do, to a new pool."""
        if self._pool is not None:
            try:
                return self._pool, _submit(self._pool, task, *arguments)
            except BrokenProcessPool:
                self._drop(self._pool)
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin)
        return self._pool, _submit(self._pool, task, *arguments)

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        """Give up a broken pool."""
        if self._pool is pool:
            self._pool = None
        if sys.version_info < (3, 11, 5):
            _stop_writing(pool)
        pool.shutdown(wait=False, cancel_futures=True)


def _stop_writing(pool: ProcessPoolExecutor) -> None:
    """Close the reading end of a broken pool's queue, so that its writer gives up.

    Else a picture on its way to a dead child is written to nobody for ever, and the server cannot end
    (python/cpython#94777). Newer Pythons do this themselves, and it must not be done twice.
    """
    reader = getattr(getattr(pool, "_call_queue", None), "_reader", None)
    if reader is not None:
        reader.close()


def _submit(pool: ProcessPoolExecutor, task: Callable[..., T], *arguments: object) -> Future[T]:
    # A child is born with this thread's mask: Ctrl-C, meant for the server, must not reach it even before
    # it could say so itself.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(task, *arguments)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ChildError(Exception):
    """What went wrong in a child, as text: not every exception survives the way between processes."""


# What follows runs in the children.


def told(task: Callable[[], T]) -> T:
    """Do what a child is asked for; whatever goes wrong is told as a `ChildError`."""
    try:
        return task()
    except Exception:
        raise ChildError(traceback.format_exc()) from None


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
