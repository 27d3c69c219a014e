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
import os
import queue
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from ..domain.errors import BadMedia, Internal, Unavailable
from ..domain.media import Blob, Inspection, MediaInfo, Pixels
from .inspection import Inspect
from .jobs import Decode, Job, Limits, Result
from .process import Lost, LostIdle, Process, Reply

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

    async def decode(self, blob: Blob, info: MediaInfo, width: int, height: int) -> Pixels:
        """Decode an image to upright RGB of exactly `width` x `height`, in a worker.

        Cancelling gives up the place in the queue; a job that has begun runs to its end unheard,
        which costs less than a new process.
        """
        self._check_open()
        job = Decode(blob, info, width, height)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, job)

    async def inspect(self, file: IO[bytes], mime_type: str) -> Inspection:
        """Find out how long a stored video is or how many pages a PDF has, in a worker.

        `file` is a real file, open for reading, and its position is moved. It may be closed at any
        time: the job has a descriptor of its own. Cancelling is as for `decode`.
        """
        self._check_open()
        own = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
        job = self._threads.submit(self._work, Inspect(own, mime_type))
        job.add_done_callback(lambda _: own.close())
        return await asyncio.wrap_future(job)

    def _work(self, job: Job[Result]) -> Result:
        """Do one job on an idle process, and put back that process or the one that takes its place."""
        process = self._idle.get()
        try:
            process = self._fit(process)
            try:
                return self._ask(process, job)
            except LostIdle:
                process = self._fit(self._replaced(process))
                return self._ask(process, job)
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

    def _ask(self, process: Process, job: Job[Result]) -> Result:
        timeout_s = self._limits.timeout_s
        with job.files() as files:
            message = {"task": job.task, "seconds": math.ceil(timeout_s) + 1, **job.message()}
            process.begin(message, [file.fileno() for file in files], timeout_s)
            reply = process.reply(timeout_s)
            if "error" not in reply:
                return job.result(reply, files)
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


def _closed() -> Unavailable:
    return Unavailable("The server is not ready to decode media. Try again later.")
