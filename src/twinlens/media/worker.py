"""The pool of processes in which every decoder runs, seen from the server.

A process has a memory limit and each job a time limit; one that crashes, hangs or runs out of memory
costs its one request a `BadMedia` and is replaced at once. Each process has a thread that talks to
it, so the event loop never waits; bytes and pixels travel through anonymous files, copied once each
way, and the server holds no more than the pixels that were asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import queue
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import IO

import numpy as np

from ..domain.errors import BadMedia, Internal, Unavailable
from ..domain.media import Blob, Data, MediaInfo, Pixels
from .admission import UNABLE

log = logging.getLogger(__name__)

_START_TIMEOUT_S = 60.0
_MAX_REPLY_BYTES = 65_536

_REFUSALS: Mapping[str, str] = {
    "damaged": "The {format} data is damaged or incomplete. Check the file and send it again.",
    "mismatch": "The {format} data does not have the size that its header states.",
    "depth": "This {format} image has 32 bits a channel. Convert it to 8 or 16 and send it again.",
    "memory": "Decoding it takes more than {memory_mib} MiB of memory. Scale it down and send it again.",
    "time": "Decoding it takes longer than {timeout_s:g} s. Scale it down and send it again.",
    "crash": "The decoder cannot handle this {format} data. Convert it to PNG or JPEG and send it again.",
}
"""What the caller is told, by the reason a job failed for."""


class _Lost(Exception):
    """The process is of no more use. `reason` is one of the refusals; the words are for the log."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _LostIdle(_Lost):
    """The process died before it had begun: whatever killed it, it was not this job."""


@dataclass(frozen=True, slots=True)
class _Job:
    blob: Blob
    info: MediaInfo
    width: int
    height: int


class DecodePool:
    """Worker processes that decode images, each with its limits. Used from one event loop."""

    def __init__(self, workers: int, memory_mib: int, timeout_s: float) -> None:
        self._workers = workers
        self._memory_mib = memory_mib
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._idle: queue.SimpleQueue[_Process | None] = queue.SimpleQueue()
        self._processes: set[_Process] = set()
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
        if not self._open:
            raise _closed()
        job = _Job(blob, info, width, height)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, job)

    def _work(self, job: _Job) -> Pixels:
        """Do one job on an idle process, and put back that process or the one that takes its place."""
        process = self._idle.get()
        try:
            process = self._fit(process)
            try:
                return self._ask(process, job)
            except _LostIdle:
                process = self._fit(self._replaced(process))
                return self._ask(process, job)
        except _Lost as lost:
            log.warning("decoder lost on %s (%s): %s", job.blob.field, job.info.format, lost)
            process = self._replaced(process)
            if not self._open:
                raise _closed() from lost
            raise self._refusal(lost.reason, job) from lost
        finally:
            self._idle.put(process)

    def _fit(self, process: _Process | None) -> _Process:
        """Give back a process that is alive and ready: this one if it is, a new one if not."""
        if process is None or not process.alive:
            process = self._replaced(process)
        if process is None:
            raise Internal
        try:
            process.wait_until_ready()
        except _Lost as lost:
            raise Internal from lost
        return process

    def _ask(self, process: _Process, job: _Job) -> Pixels:
        with _anonymous_file() as source, _anonymous_file() as room:
            _write(source, job.blob.data)
            os.truncate(room.fileno(), job.width * job.height * 3)
            message = {
                "info": asdict(job.info),
                "width": job.width,
                "height": job.height,
                "seconds": math.ceil(self._timeout_s) + 1,
            }
            process.begin(message, source.fileno(), room.fileno(), self._timeout_s)
            reply = process.reply(self._timeout_s)
            if not reply:
                return _read(room, job)
        reason, detail = reply.get("error", "crash"), reply.get("detail", "")
        if reason == "memory":
            # What ran out of memory half way is not trusted with another job.
            raise _Lost(reason, detail)
        log.info("decoder refused %s: %s", job.blob.field, detail)
        raise self._refusal(reason, job)

    def _refusal(self, reason: str, job: _Job) -> BadMedia:
        why = _REFUSALS.get(reason, _REFUSALS["crash"]).format(
            format=job.info.format.upper(), memory_mib=self._memory_mib, timeout_s=self._timeout_s
        )
        return BadMedia(f"{UNABLE} {why}", field=job.blob.field)

    def _replaced(self, process: _Process | None) -> _Process | None:
        if process is not None:
            self._let_go(process)
        if not self._open:
            return None
        self.restarts += 1
        try:
            return self._spawn()
        except OSError:
            log.exception("no decoder can be started")
            return None

    def _spawn(self) -> _Process:
        process = _Process(self._memory_mib)
        self._processes.add(process)
        return process

    def _let_go(self, process: _Process) -> None:
        process.end()
        process.reap()
        self._processes.discard(process)


class _Process:
    """One worker process and the server's end of its socket. Used by one thread at a time."""

    def __init__(self, memory_mib: int) -> None:
        self._socket, theirs = socket.socketpair()
        self._ready = False
        self._received = b""
        arguments = str(theirs.fileno()), str(memory_mib << 20)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-P", "-m", f"{__package__}.sandbox", *arguments],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait for the libraries to be loaded, once."""
        if not self._ready:
            self.reply(_START_TIMEOUT_S)
            self._ready = True

    def begin(self, message: object, source: int, room: int, timeout_s: float) -> None:
        """Send a job with its two files, and wait until the process has taken it."""
        line = json.dumps(message).encode() + b"\n"
        try:
            socket.send_fds(self._socket, [line], [source, room])
            self.reply(timeout_s)
        except OSError as error:
            raise _LostIdle("crash", "hung up before the job") from error
        except _Lost as lost:
            if lost.reason == "time":
                raise
            raise _LostIdle(lost.reason, f"{lost} before the job") from lost

    def reply(self, timeout_s: float) -> dict[str, str]:
        """Wait for a line, which is a JSON object: empty, or why there are no pixels.

        Nothing that comes from a worker is trusted.
        """
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._received:
            self._received += self._receive(deadline - time.monotonic())
            if len(self._received) > _MAX_REPLY_BYTES:
                raise _Lost("crash", "answered too much")
        line, _, self._received = self._received.partition(b"\n")
        try:
            found = dict(json.loads(line))
        except (ValueError, TypeError) as error:
            raise _Lost("crash", "answered nonsense") from error
        return {str(key): str(value) for key, value in found.items()}

    def end(self) -> None:
        """Kill the process. Its thread sees the socket close."""
        self._process.kill()

    def reap(self) -> None:
        """Close the socket and take note of the end, after `end`."""
        self._socket.close()
        self._process.wait()

    def _receive(self, timeout_s: float) -> bytes:
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            piece = self._socket.recv(_MAX_REPLY_BYTES)
        except TimeoutError as error:
            raise _Lost("time", "did not answer in time") from error
        except OSError as error:
            raise _Lost("crash", "hung up") from error
        if not piece:
            raise _Lost("crash", f"ended with {self._process.wait(_START_TIMEOUT_S)}")
        return piece


def _closed() -> Unavailable:
    return Unavailable("The server is not ready to decode media. Try again later.")


def _environment() -> dict[str, str]:
    """Give a worker what it needs to find its code and stay small, and none of the server's secrets."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES}
    return kept | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}


_KEPT_VARIABLES = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"})
_ONE_THREAD = {
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}


def _anonymous_file() -> IO[bytes]:
    """Open a file without a name: in memory where the system can, else in the temporary folder."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("media"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _write(file: IO[bytes], data: Data) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _read(room: IO[bytes], job: _Job) -> Pixels:
    """Copy the pixels out. Reading, unlike mapping, is safe against a worker that cuts the file."""
    pixels = np.empty((job.height, job.width, 3), np.uint8)
    flat = pixels.data.cast("B")
    done = 0
    while done < pixels.nbytes:
        count = os.preadv(room.fileno(), [flat[done:]], done)
        if not count:
            raise _Lost("crash", "left too few pixels")
        done += count
    return pixels
