"""Worker processes in two kinds of pool: shared by many calls at a time, or leased by one caller each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ..domain.errors import Internal, Unavailable
from .fork_server import ForkServer
from .forking import READ_LIMIT_BYTES
from .peer import Handler, Peer, PeerLost, RemoteError
from .state import STOPPED, state_of

log = logging.getLogger(__name__)

_TRIES = 3
_GROW_AFTER_S = 0.05
_LOOK_EVERY_S = 0.5
_AHEAD = 16
"""So many pieces of an answer may be on their way."""


class Worker:
    """One worker process, from its fork to its end."""

    def __init__(self, server: ForkServer, pid: int, peer: Peer) -> None:
        self._server = server
        self.pid = pid
        self.peer = peer
        self._reading = asyncio.create_task(peer.run(), name=f"worker {pid}")
        self._watching = asyncio.create_task(self._watch(), name=f"watch {pid}")
        self._reading.add_done_callback(lambda _: self._watching.cancel())
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def fork(cls, server: ForkServer, entry: str) -> Worker:
        """Fork a worker that offers what `entry` gives. Raises `Internal` where that cannot be done."""
        try:
            pid, connection = await server.fork(entry)
        except OSError as cause:
            raise Internal from cause
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_LIMIT_BYTES)
        worker = cls(server, pid, Peer(reader, writer))
        worker.peer.on_stuck = worker.end_stuck
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it may still be called."""
        return self.peer.is_open and self._ending is None

    async def call(self, name: str, *arguments: object) -> Any:
        """Call what it offers. Raises `Internal` for a fault of ours, `PeerLost` where it ends."""
        try:
            return await self.peer.call(name, *arguments)
        except RemoteError as cause:
            raise Internal from cause

    def kill(self) -> None:
        """End the process at once; `gone` waits for that."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())

    async def gone(self) -> None:
        """Wait for the end of the process."""
        await asyncio.wait([self._reading])

    def when_gone(self, do: Callable[[], object]) -> None:
        """Have something done when the process has ended."""
        self._reading.add_done_callback(lambda _: do())

    def end_stuck(self) -> None:
        """End the process because it does not stop what was given up."""
        if self.is_alive:
            log.warning("worker process %d does not stop: it is killed", self.pid)
            self.kill()

    async def _watch(self) -> None:
        """End the process if a signal keeps it from doing what it was asked for: another does it then."""
        was_stopped = False
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            is_stopped = bool(self.peer.load) and state_of(self.pid) in STOPPED
            if is_stopped and was_stopped:
                log.warning("worker process %d was stopped: it is replaced", self.pid)
                self.kill()
                return
            was_stopped = is_stopped

    async def _end(self) -> None:
        await self._server.kill(self.pid)
        self.peer.close()
        await self.gone()


class SharedWorkers:
    """So many workers for all calls; each works on several by turns.

    One that ends is replaced at once, and the calls that it had are made again on another. `duty` says what
    they do, as in "the process that looks at images"; `first` is a call that each new one is given before
    any other, so that it has loaded what it needs.
    """

    def __init__(
        self, server: ForkServer, entry: str, count: int, duty: str, first: Sequence[object] = ()
    ) -> None:
        self._server = server
        self._entry = entry
        self._count = count
        self._duty = duty
        self._first = first
        self._workers: list[asyncio.Task[Worker]] = []
        self._is_started = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers that are ready."""
        started = (task.result() for task in self._workers if task.done() and _is_usable(task))
        return tuple(worker.pid for worker in started)

    async def start(self) -> None:
        """Start all workers, and wait until each has done its first call."""
        await self._ready()

    async def stop(self) -> None:
        """End all workers."""
        self._is_started = False
        tasks, self._workers = self._workers, []
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, Worker):
                found.kill()
                await found.gone()

    async def call(self, name: str, *arguments: object) -> Any:
        """Call a function in the worker that has least to do.

        Raises `Unavailable` where workers end over it again and again, and `Internal` for a fault of ours.
        """
        for _ in range(_TRIES):
            try:
                worker = min(await self._ready(), key=lambda worker: worker.peer.load)
                return await worker.call(name, *arguments)
            except PeerLost:
                log.warning("the process that %s has ended; it is replaced", self._duty)
        raise Unavailable(f"The process that {self._duty} ended. Please try again.")

    async def _ready(self) -> list[Worker]:
        """Give all workers, when at least one of them is ready."""
        self._is_started = True
        self._fill()
        # Unlike awaiting the tasks, waiting for them does not cancel them.
        done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
        usable = [task.result() for task in done if _is_usable(task)]
        return usable or [next(iter(done)).result()]

    def _fill(self) -> None:
        self._workers = [task for task in self._workers if _is_usable(task)]
        while len(self._workers) < self._count:
            self._workers.append(asyncio.create_task(self._begin()))

    async def _begin(self) -> Worker:
        worker = await Worker.fork(self._server, self._entry)
        try:
            if self._first:
                name, *arguments = self._first
                await worker.call(str(name), *arguments)
        except BaseException:
            worker.kill()
            raise
        worker.when_gone(self._replace)
        return worker

    def _replace(self) -> None:
        if self._is_started:
            self._fill()


class LeasedWorkers:
    """Workers that do one thing at a time, for one caller at a time; one more is forked where all are busy.

    A worker goes to who had it last for the same `key`, if it can: what it remembers may be of use. It is
    killed where what it was asked for is given up and it does not stop. Up to `keep` stay when idle.
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
        """Have one worker ready."""
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
        """Wait until all work that was given up has ended."""
        await asyncio.gather(*self._settling, return_exceptions=True)

    @asynccontextmanager
    async def lease(
        self, key: str, handlers: Mapping[str, Handler], *, new: bool = False
    ) -> AsyncIterator[Peer]:
        """Have a worker for oneself, or a new one; it may call `handlers` meanwhile."""
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
        """Take an idle worker, wait a moment for one, or fork one more."""
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
        """Wait until a worker has stopped what was given up; one that hangs is killed by then."""
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
    """Lease a worker and pass on what one of its streams gives.

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


def _is_usable(task: asyncio.Task[Worker]) -> bool:
    if not task.done():
        return True
    return not task.cancelled() and task.exception() is None and task.result().is_alive
