"""The pool of processes in which every decoder runs, seen from the server.

A process has a memory limit and each job a time limit; one that crashes, hangs or runs out of memory
costs its one request a `BadMedia` and is replaced at once. Each process has a thread that talks to
it, so the event loop never waits. Bytes and pixels travel through anonymous files, copied once each
way, and the server holds no more than the pixels that were asked for; of a stored file only the
descriptor travels.
"""

from __future__ import annotations

import asyncio
import logging
import math
import queue
from concurrent.futures import ThreadPoolExecutor

from ..domain.errors import BadMedia, Internal, Unavailable
from ..domain.media import Blob, ImageInfo, Inspected, Pixels
from .inspection import Inspect
from .jobs import Decode, Job, Limits, Result
from .process import Listener, Lost, LostIdle, Process, Reply

log = logging.getLogger(__name__)


class DecodePool:
    """Worker processes that decode images and look into files, each with its limits. For one event loop."""

    def __init__(self, workers: int, memory_mib: int, timeout_s: float) -> None:
        self._workers = workers
        self._limits = Limits(memory_mib, timeout_s)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._idle: queue.SimpleQueue[Process | None] = queue.SimpleQueue()
        self._processes: set[Process] = set()
        self._open = False
        self.restarts = 0

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers."""
        return tuple(process.pid for process in tuple(self._processes))

    async def start(self) -> None:
        """Start the workers, without waiting until they have loaded their libraries."""
        self._open = True
        for _ in range(self._workers):
            self._idle.put(await asyncio.to_thread(self._spawn))

    async def stop(self) -> None:
        """End the workers, whatever they are doing. A stopped pool stays stopped."""
        self._open = False
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._processes):
            process.end()
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        for process in tuple(self._processes):
            self._let_go(process)

    async def decode(self, blob: Blob, info: ImageInfo, width: int, height: int) -> Pixels:
        """Decode an image to upright RGB of exactly `width` x `height`, in a worker.

        Cancelling gives up the place in the queue; a job that has begun runs to its end unheard,
        which costs less than a new process.
        """
        return await self.do(Decode(blob, info, width, height))

    async def inspect(self, blob: Blob, mime_type: str, heard: Listener | None = None) -> Inspected:
        """Look into a video, a recording of sound or a PDF that is in a file, in a worker."""
        return await self.do(Inspect(blob, mime_type), heard)

    async def do(self, job: Job[Result], heard: Listener | None = None) -> Result:
        """Have a job done by a worker. Cancelling is as for `decode`.

        `heard` is called on the event loop with how much is done, a few times a second where a job takes
        long, and not at all where it is done soon; after a cancelling perhaps still.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        carried = None if heard is None else _carried(heard, loop)
        return await loop.run_in_executor(self._threads, self._work, job, carried)

    def _work(self, job: Job[Result], heard: Listener | None) -> Result:
        """Do one job on an idle process, and put back that process or the one that takes its place."""
        process = self._idle.get()
        try:
            process = self._fit(process)
            try:
                return self._ask(process, job, heard)
            except LostIdle:
                process = self._fit(self._replaced(process))
                return self._ask(process, job, heard)
        except Lost as lost:
            log.warning("worker lost on %s: %s", job.subject, lost)
            process = self._replaced(process)
            if not self._open:
                raise _closed() from lost
            raise job.refusal(lost.reason, {}, self._limits) from lost
        finally:
            self._idle.put(process)

    def _fit(self, process: Process | None) -> Process:
        """Give back a process that is alive and ready: this one if it is, a new one if not."""
        if process is None or not process.alive:
            process = self._replaced(process)
        if process is None:
            raise Internal
        try:
            process.wait_until_ready()
        except Lost as lost:
            raise Internal from lost
        return process

    def _ask(self, process: Process, job: Job[Result], heard: Listener | None) -> Result:
        timeout_s = self._limits.timeout_s
        with job.file() as file, process.room.of(job.room_bytes) as room:
            message = {"task": job.task, "seconds": math.ceil(timeout_s) + 1, **job.message()}
            process.begin(message, [file.fileno(), room.fileno()], timeout_s)
            reply = process.reply(timeout_s, heard)
            if "error" not in reply:
                return job.result(reply, room)
        raise self._refusal(job, reply)

    def _refusal(self, job: Job[Result], reply: Reply) -> BadMedia:
        reason, detail = reply["error"], str(reply.get("detail", ""))
        if reason == "memory":
            # What ran out of memory half way is not trusted with another job.
            raise Lost("memory", detail)
        log.info("worker refused %s: %s", job.subject, detail)
        return job.refusal(reason, reply, self._limits)

    def _replaced(self, process: Process | None) -> Process | None:
        if process is not None:
            self._let_go(process)
        if not self._open:
            return None
        self.restarts += 1
        try:
            return self._spawn()
        except OSError:
            log.exception("no worker can be started")
            return None

    def _spawn(self) -> Process:
        process = Process(self._limits.memory_mib)
        self._processes.add(process)
        return process

    def _let_go(self, process: Process) -> None:
        process.end()
        process.reap()
        self._processes.discard(process)

    def _check_open(self) -> None:
        if not self._open:
            raise _closed()


def _carried(heard: Listener, loop: asyncio.AbstractEventLoop) -> Listener:
    """Give a listener for another thread, that passes on to one on the event loop."""
    return lambda fraction: loop.call_soon_threadsafe(heard, fraction)


def _closed() -> Unavailable:
    return Unavailable("The server is not ready to decode media. Try again later.")
