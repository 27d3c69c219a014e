"""Worker processes that are leased by one caller each; one more is forked where all are busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ..domain.errors import Internal, Unavailable
from .calls import PeerLost, RemoteError
from .fork_server import ForkServer
from .peer import Handler, Peer
from .workers import Worker

_GROW_AFTER_S = 0.05
_AHEAD = 16
"""How many items of a stream are made ahead of the caller. Chosen, not measured."""


class LeasedWorkers:
    """Workers that do one thing at a time, for one caller at a time; one more is forked where all are busy.

    A worker is leased again for the `key` that it had last, if it is idle: its caches may be of use. It is
    killed where its call is cancelled and it does not stop. Up to `keep` stay when idle.
    """

    def __init__(self, server: ForkServer, entry: str, keep: int) -> None:
        self._server = server
        self._entry = entry
        self._keep = keep
        self._idle: dict[Worker, str] = {}
        self._busy = 0
        self._returned = asyncio.Event()
        self._settling: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers that are idle."""
        return tuple(worker.pid for worker in self._idle)

    async def start(self) -> None:
        """Fork one worker ahead."""
        self._put_back(await Worker.fork(self._server, self._entry), "")

    async def stop(self) -> None:
        """End the idle workers; those at work end with their callers."""
        for task in tuple(self._settling):
            task.cancel()
        workers, self._idle = tuple(self._idle), {}
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.gone() for worker in workers), *self._settling, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until all cancelled work has ended."""
        await asyncio.gather(*self._settling, return_exceptions=True)

    @asynccontextmanager
    async def lease(
        self, key: str, handlers: Mapping[str, Handler], *, new: bool = False
    ) -> AsyncIterator[Peer]:
        """Lease a worker, or a `new` one; it may call `handlers` meanwhile."""
        worker = await (Worker.fork(self._server, self._entry) if new else self._free(key))
        worker.peer.handlers = handlers
        self._busy += 1
        try:
            yield worker.peer
        finally:
            self._busy -= 1
            worker.peer.handlers = {}
            self._let_go(worker, key)

    async def _free(self, key: str) -> Worker:
        """Return an idle worker, at once or after a moment, or fork one more."""
        worker = self._pick(key)
        if worker is None and self._busy >= self._keep:
            self._returned.clear()
            try:
                async with asyncio.timeout(_GROW_AFTER_S):
                    while worker is None:
                        await self._returned.wait()
                        self._returned.clear()
                        worker = self._pick(key)
            except TimeoutError:
                pass
        return worker or await Worker.fork(self._server, self._entry)

    def _pick(self, key: str) -> Worker | None:
        alive = [worker for worker in self._idle if worker.is_alive]
        self._idle = {worker: self._idle[worker] for worker in alive}
        if not alive:
            return None
        # The one that was used last has the warmest caches.
        worker = next((w for w in reversed(alive) if key and self._idle[w] == key), alive[-1])
        del self._idle[worker]
        return worker

    def _let_go(self, worker: Worker, key: str) -> None:
        if not worker.peer.load:
            self._put_back(worker, key)
            return
        task = asyncio.create_task(self._settle(worker, key))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, worker: Worker, key: str) -> None:
        """Wait until a worker has stopped what was cancelled; one that hangs is killed by then."""
        try:
            await worker.peer.settled()
        except asyncio.CancelledError:
            worker.kill()
            await worker.gone()
            return
        self._put_back(worker, key)

    def _put_back(self, worker: Worker, key: str) -> None:
        if worker.is_alive:
            self._idle[worker] = key
        while len(self._idle) > self._keep:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.kill()
        self._returned.set()


async def streamed(
    workers: LeasedWorkers, key: str, handlers: Mapping[str, Handler], name: str, *arguments: object
) -> AsyncGenerator[Any, None]:
    """Lease a worker and yield the items of one of its streams.

    Where the worker ends before its first item, a new one is asked; later that is `Unavailable`.
    """
    for is_last in (False, True):
        has_begun = False
        try:
            async with (
                workers.lease(key, handlers, new=is_last) as peer,
                aclosing(peer.stream(name, *arguments, ahead=_AHEAD)) as items,
            ):
                async for item in items:
                    has_begun = True
                    yield item
            return
        except PeerLost as cause:
            if has_begun or is_last:
                raise Unavailable("The process that answers ended. Please try again.") from cause
        except RemoteError as cause:
            raise Internal from cause
