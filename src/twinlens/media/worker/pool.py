"""The pool of processes in which every decoder runs, seen from the server.

A process has a memory limit and each job a time limit; one that crashes, hangs or runs out of memory costs
its one request a `BadMedia` and is replaced at once. One that was stopped from outside is replaced as well,
and its job is retried once. `job_queue.py` decides whose turn is next. Each process has a thread that talks
to it, so the event loop never waits. Bytes and pixels travel through anonymous files, copied at most once
each way, and the server holds no more than the pixels that were asked for; of a stored file only the
descriptor travels.
"""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import Any, Generic, cast

from ...domain.errors import BadMedia, Internal, Unavailable
from ...domain.media import Blob, ImageInfo, Inspected, Pixels
from ..inspection import Inspect
from .compute_quota import ComputeQuota, ComputeQuotaExceeded
from .job_queue import JobQueue
from .jobs import Decode, Job, Limits, Result
from .process import Listener, Process, Reply, WorkerDied, WorkerDiedIdle
from .stopwatch import Stopwatch

log = logging.getLogger(__name__)

GRACE_S = 1.5
"""How long an abandoned job that has begun may go on: starting a new process costs as much."""

STOPPED_S = 1.0
"""How long a worker may be stopped by a signal before it counts as ended. Chosen, not measured."""

_ATTEMPTS = 2
"""For a job whose process was stopped from outside."""


class WorkerPool:
    """Worker processes that decode and inspect media, each with its limits. For one event loop."""

    def __init__(self, workers: int, memory_mib: int, timeout_s: float) -> None:
        self._workers = workers
        self._limits = Limits(memory_mib, timeout_s)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._turns = JobQueue(workers)
        self._lock = Lock()
        self._idle: list[Process | None] = []
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
            self._put_back(await asyncio.to_thread(self._spawn))

    async def stop(self) -> None:
        """End the workers, whatever they are doing. A stopped pool stays stopped."""
        self._open = False
        self._turns.close(_closed())
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self._processes):
            process.end()
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        for process in tuple(self._processes):
            self._let_go(process)

    async def decode(
        self, blob: Blob, info: ImageInfo, width: int, height: int, quota: ComputeQuota | None = None
    ) -> Pixels:
        """Decode an image to upright RGB pixels of exactly `width` x `height`, in a worker."""
        return cast("Pixels", await self.do(Decode(blob, info, width, height), quota))

    async def inspect(
        self,
        blob: Blob,
        mime_type: str,
        quota: ComputeQuota | None = None,
        on_progress: Listener | None = None,
    ) -> Inspected:
        """Inspect a video, an audio recording or a PDF that is stored in a file, in a worker."""
        return await self.do(Inspect(blob, mime_type), quota, on_progress)

    async def do(
        self, job: Job[Result], quota: ComputeQuota | None = None, on_progress: Listener | None = None
    ) -> Result:
        """Run a job in a worker when its turn comes; `quota` names the project and counts the CPU time.

        Cancelling leaves the queue. A job that has begun then has a little time to end; after that its
        process is ended. `on_progress` is called on the event loop with the share that is done, a few times
        a second where a job takes long, and not at all where it is short; after cancelling perhaps still.
        """
        self._check_open()
        quota = quota or ComputeQuota("")
        quota.check(job.blob.field)
        is_long, loop = job.is_long, asyncio.get_running_loop()
        order = _Order(job, quota, None if on_progress is None else _carried(on_progress, loop))
        await self._turns.take(quota, is_long=is_long)
        try:
            # Others of the same request may have taken all there was.
            quota.check(job.blob.field)
            done = loop.run_in_executor(self._threads, self._work, order)
        except (ComputeQuotaExceeded, RuntimeError) as error:
            self._turns.give_back(is_long=is_long)
            if isinstance(error, ComputeQuotaExceeded):
                raise
            raise _closed() from error
        done.add_done_callback(lambda _: self._turns.give_back(is_long=is_long))
        done.add_done_callback(_hear)
        try:
            # Unlike awaiting it, waiting for it does not cancel it: its place is taken until it ends.
            await asyncio.wait([done])
        except asyncio.CancelledError:
            order.is_left = True
            raise
        try:
            if done.cancelled():
                raise _closed()
            return done.result()
        finally:
            # An error refers to this frame, and would hold on to itself.
            del done

    def _work(self, order: _Order[Result]) -> Result:
        """Run one job on an idle process, and return that process or its replacement to the pool."""
        process = self._take()
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    process = self._fit(process)
                    return self._ask(process, order)
                except WorkerDied as lost:
                    log.warning("worker lost on %s: %s", order.job.subject, lost)
                    process = self._replaced(process)
                    self._check_open()
                    if not _is_nobodys_fault(lost):
                        raise self._blame(order, lost) from lost
                    if attempt == _ATTEMPTS:
                        raise Unavailable("The decoder was stopped from outside. Try again later.") from lost
            raise Internal
        finally:
            self._put_back(process)

    def _take(self) -> Process | None:
        """Return an idle process, a ready one if there is one. There are as many as the queue has places."""
        with self._lock:
            ready = (at for at, process in enumerate(self._idle) if process is not None and process.is_ready)
            return self._idle.pop(next(ready, 0))

    def _put_back(self, process: Process | None) -> None:
        with self._lock:
            self._idle.append(process)

    def _fit(self, process: Process | None) -> Process:
        """Return a process that is alive and ready: this one if it is, else a new one."""
        if process is None or not process.alive:
            process = self._replaced(process)
        if process is None:
            raise Internal
        process.wait_until_ready()
        return process

    def _ask(self, process: Process, order: _Order[Result]) -> Result:
        job, limit_s = order.job, order.job.limit_s(self._limits)
        order.check()
        with job.file() as file, process.buffer.of(job.buffer_bytes, stays=job.stays) as buffer:
            message = {"task": job.task, "seconds": math.ceil(limit_s) + 1, **job.message()}
            process.begin(message, [file.fileno(), buffer.fileno()])
            watch = _JobWatch(process.pid, order, limit_s)
            try:
                reply = process.reply(watch, order.on_progress)
            finally:
                watch.settle()
            if "error" not in reply:
                return job.result(reply, buffer)
        raise self._refusal(job, reply)

    def _refusal(self, job: Job[Result], reply: Reply) -> BadMedia:
        reason, detail = reply["error"], str(reply.get("detail", ""))
        if reason == "memory":
            # What ran out of memory half way is not trusted with another job.
            raise WorkerDied("memory", detail)
        log.info("worker refused %s: %s", job.subject, detail)
        return job.refusal(reason, reply, self._limits)

    def _blame(self, order: _Order[Result], lost: WorkerDied) -> BadMedia:
        if lost.reason == "work":
            return order.quota.refusal(order.job.blob.field)
        limit_s = float(f"{order.job.limit_s(self._limits):.2g}")
        return order.job.refusal(lost.reason, {}, replace(self._limits, timeout_s=limit_s))

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


class _Order(Generic[Result]):
    """A job, its quota, and its progress listener."""

    def __init__(self, job: Job[Result], quota: ComputeQuota, on_progress: Listener | None) -> None:
        self.job, self.quota, self.on_progress = job, quota, on_progress
        self.is_left = False
        """Whether nobody waits for it any more."""

    def check(self) -> None:
        """Raise where nobody waits any more, before the job is begun."""
        if self.is_left:
            raise _closed()


class _JobWatch:
    """Ends the wait for a job that is out of time or quota, or abandoned; counts its CPU time."""

    def __init__(self, pid: int, order: _Order[Any], limit_s: float) -> None:
        self._stopwatch = Stopwatch(pid)
        self._order, self._limit_s, self._work_s = order, limit_s, order.quota.left_s
        self._ends_at_s: float | None = None

    def check(self) -> None:
        """Raise `WorkerDied` where waiting has no more sense."""
        self._stopwatch.tick()
        if self._order.is_left and self._ends_at_s is None:
            self._ends_at_s = self._stopwatch.elapsed_s + GRACE_S
        if self._ends_at_s is not None and self._stopwatch.elapsed_s > self._ends_at_s:
            raise WorkerDied("left", "nobody waits for it any more")
        if self._stopwatch.stopped_s > STOPPED_S:
            raise WorkerDied("killed", "was stopped by a signal")
        if self._stopwatch.cpu_s > self._work_s:
            raise WorkerDied("work", "has taken all the work that its request may")
        if self._stopwatch.elapsed_s > self._limit_s:
            raise WorkerDied("time", "did not answer in time")

    def settle(self) -> None:
        """Charge the job's CPU time to its quota."""
        self._stopwatch.tick()
        self._order.quota.spend(self._stopwatch.cpu_s)


def _is_nobodys_fault(lost: WorkerDied) -> bool:
    """Whether a process was stopped from outside, and not brought down by its job."""
    return isinstance(lost, WorkerDiedIdle) or lost.reason == "killed"


def _hear(done: asyncio.Future[Any]) -> None:
    """Retrieve a failure, which nobody else does where the caller has left."""
    if not done.cancelled():
        done.exception()


def _carried(on_progress: Listener, loop: asyncio.AbstractEventLoop) -> Listener:
    """Return a listener for other threads that calls `on_progress` on the event loop."""
    return lambda fraction: loop.call_soon_threadsafe(on_progress, fraction)


def _closed() -> Unavailable:
    return Unavailable("The server is not ready to decode media. Try again later.")
