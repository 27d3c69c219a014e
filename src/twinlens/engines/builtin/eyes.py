"""The processes that look at pictures, so that the server's own never waits for pixels.

They are started once and keep their models. One that dies takes its requests with it; the next request
finds new ones.
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
from typing import TYPE_CHECKING, TypeVar

from ...domain.errors import Internal, Unavailable
from ...domain.media import Image
from .facts import Difference, FactName, Facts

if TYPE_CHECKING:
    from .look import Observer

T = TypeVar("T")


class Eyes:
    """A pool of child processes, each with an observer of its own."""

    def __init__(self, processes: int = 1) -> None:
        self._processes = max(processes, 1)
        self._pool: ProcessPoolExecutor | None = None

    async def start(self) -> None:
        """Start the processes and have each load what it needs."""
        await asyncio.gather(*(self._do(_warm_up) for _ in range(self._processes)))

    async def stop(self) -> None:
        """End the processes; looks that still wait are dropped."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Find facts in a picture."""
        return await self._do(_look, image, wanted)

    async def compare(self, first: Image, second: Image) -> Difference:
        """Find what changed from one picture to the next."""
        return await self._do(_compare, first, second)

    async def _do(self, task: Callable[..., T], *arguments: object) -> T:
        pool, future = self._submitted(task, *arguments)
        try:
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as cause:
            self._drop(pool)
            raise Unavailable("The process that looks at pictures ended. Please try again.") from cause
        except LookError as cause:
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


class LookError(Exception):
    """What went wrong in a child, as text: not every exception survives the way between processes."""


# What follows runs in the children.

_observer: Observer | None = None


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _warm_up() -> None:
    _told(lambda observer: observer.warm_up())


def _look(image: Image, wanted: frozenset[FactName]) -> Facts:
    return _told(lambda observer: observer.look(image, wanted))


def _compare(first: Image, second: Image) -> Difference:
    return _told(lambda observer: observer.compare(first, second))


def _told(ask: Callable[[Observer], T]) -> T:
    global _observer
    try:
        if _observer is None:
            # Imported here and not above: what reads pictures is heavy, and the server does without.
            from .look import Observer

            _observer = Observer()
        return ask(_observer)
    except Exception:
        raise LookError(traceback.format_exc()) from None
