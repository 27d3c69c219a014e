"""One worker process as the server sees it: start it, hand it a job, wait for its answer, end it.

Knows nothing of what a job is about. Whatever comes from a worker is untrusted, since it has had a
untrusted bytes in a decoder: an answer that is no JSON object counts as a crash, and so does a report of
progress that is no number.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ...processes.environment import environment
from .buffers import ResultBuffer
from .stopwatch import POLL_S, Stopwatch

START_LIMIT_S = 10.0
"""For loading the libraries, not counting waits for a core. Chosen, not measured."""

HAND_OVER_LIMIT_S = 1.0
"""For accepting a job, counted likewise: it only reads a line. Chosen, not measured."""

_END_WAIT_S = 1.0
_MAX_REPLY_BYTES = 65_536
_MAX_REPORTS = 1000
"""Of one job: ten times what `reporting.py` makes."""

Reply = Mapping[str, object]
"""A worker's message about a job, not validated yet."""

Listener = Callable[[float], object]
"""Called with the share of a job that is done: from 0 to 1, and rising."""


class WorkerDied(Exception):
    """The process is of no more use. `reason` is why, as in the jobs' tables; the words are for the log."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class WorkerDiedIdle(WorkerDied):
    """The process died or hung before it had begun: whatever did it, it was not this job."""


class Watch(Protocol):
    """Watches a process while its reply is awaited."""

    def check(self) -> None:
        """Raise `WorkerDied` where waiting has no more sense. Called every `POLL_S` or more often."""


class Within:
    """Waits for a process so many seconds, not counting those that it waits for a core."""

    def __init__(self, pid: int, limit_s: float) -> None:
        self._stopwatch = Stopwatch(pid)
        self._limit_s = limit_s

    def check(self) -> None:
        """Raise `WorkerDied` where the time is over."""
        self._stopwatch.tick()
        if self._stopwatch.elapsed_s > self._limit_s:
            raise WorkerDied("time", "did not answer in time")


class Process:
    """One worker process and the server's end of its socket. Used by one thread at a time."""

    def __init__(self, memory_mib: int) -> None:
        self.buffer = ResultBuffer()
        self._socket, theirs = socket.socketpair()
        self._ready = False
        self._replies = Replies(self._socket)
        arguments = str(theirs.fileno()), str(memory_mib << 20)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-P", "-m", f"{__package__}.main", *arguments],
                env=environment() | _ONE_THREAD,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it can take a job at once."""
        return self.alive and self._ready

    def wait_until_ready(self) -> None:
        """Wait for the libraries to be loaded, once."""
        if self._ready:
            return
        try:
            self.reply(Within(self.pid, START_LIMIT_S))
        except WorkerDied as lost:
            raise WorkerDiedIdle(lost.reason, f"{lost} while it was starting") from lost
        self._ready = True

    def begin(self, message: Reply, descriptors: Sequence[int]) -> None:
        """Send a job with its files, and wait until the process has taken it."""
        line = json.dumps(message).encode() + b"\n"
        try:
            socket.send_fds(self._socket, [line], descriptors)
            self.reply(Within(self.pid, HAND_OVER_LIMIT_S))
        except OSError as error:
            raise WorkerDiedIdle("crash", "hung up before the job") from error
        except WorkerDied as lost:
            raise WorkerDiedIdle(lost.reason, f"{lost} before the job") from lost

    def reply(self, watch: Watch, on_progress: Listener | None = None) -> Reply:
        """Wait for the reply, and pass progress on until then."""
        try:
            return self._replies.next(watch, on_progress)
        except _HungUp as end:
            raise self._ended() from end

    def end(self) -> None:
        """Kill the process. Its thread sees the socket close."""
        self._process.kill()

    def _ended(self) -> WorkerDied:
        """Return the error for how it ended: by its own fault, or by a signal from outside."""
        try:
            code = self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            return WorkerDied("crash", "hung up and went on")
        return WorkerDied("killed" if -code in _FROM_OUTSIDE else "crash", f"ended with {code}")

    def reap(self) -> None:
        """Wait for the process and close its socket and buffer, after `end`."""
        self._socket.close()
        self._process.wait()
        self.buffer.close()


class Replies:
    """The replies of a worker: one JSON object a line."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = b""

    def next(self, watch: Watch, on_progress: Listener | None = None) -> Reply:
        """Wait for a reply, and pass progress on until then. Raises `WorkerDied`."""
        furthest = 0.0
        for _ in range(_MAX_REPORTS + 1):
            found = self._object(watch)
            if "progress" not in found:
                return found
            fraction = _fraction(found["progress"])
            if on_progress is not None and fraction > furthest:
                furthest = fraction
                on_progress(fraction)
        raise WorkerDied("crash", "reported too much")

    def _object(self, watch: Watch) -> Reply:
        while b"\n" not in self._received:
            if len(self._received) > _MAX_REPLY_BYTES:
                raise WorkerDied("crash", "answered too much")
            self._received += self._receive(watch)
        line, _, self._received = self._received.partition(b"\n")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise WorkerDied("crash", "answered nonsense") from error
        if not isinstance(found, dict):
            raise WorkerDied("crash", "answered nonsense")
        return found

    def _receive(self, watch: Watch) -> bytes:
        """Wait up to `POLL_S` for data; return nothing where none came."""
        # Before each piece: what trickles in, or reports and never answers, is not waited for without an end.
        watch.check()
        self._socket.settimeout(POLL_S)
        try:
            piece = self._socket.recv(_MAX_REPLY_BYTES)
        except TimeoutError:
            return b""
        except OSError as error:
            raise WorkerDied("crash", "hung up") from error
        if not piece:
            raise _HungUp("crash", "hung up")
        return piece


class _HungUp(WorkerDied):
    """The other end of the socket was closed, so the process has ended."""


_FROM_OUTSIDE = frozenset(
    {
        signal.SIGKILL,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
    }
)
"""Signals that no decoder sends itself: an operator does, or a system that is out of memory.

A worker that reaches its own limit of memory is refused it, and says so or aborts.
"""


def _fraction(said: object) -> float:
    """Return a number clamped to 0 to 1. Raises `WorkerDied` for anything else."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise WorkerDied("crash", "reported nonsense")
    return float(min(max(0, said), 1))


_ONE_THREAD = {
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
