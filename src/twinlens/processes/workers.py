"""Worker processes, and a pool of them that many calls share; `leases.py` has the other kind of pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ..domain.errors import Internal, Unavailable
from .calls import PeerLost, RemoteError
from .fork_server import ForkServer
from .forking import READ_LIMIT_BYTES
from .peer import Peer
from .state import STOPPED, state_of

log = logging.getLogger(__name__)

_TRIES = 3
_LOOK_EVERY_S = 0.5


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
            pid, connection, channel = await server.fork(entry)
        except OSError as cause:
            raise Internal from cause
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_LIMIT_BYTES)
        worker = cls(server, pid, Peer(reader, writer, channel=channel))
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
        """Call back when the process has ended."""
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
        """Return all workers, when at least one of them is ready."""
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


def _is_usable(task: asyncio.Task[Worker]) -> bool:
    if not task.done():
        return True
    return not task.cancelled() and task.exception() is None and task.result().is_alive
