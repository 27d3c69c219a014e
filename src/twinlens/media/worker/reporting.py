"""How a task in a worker process reports its progress.

A task calls `report`; it need not know whether there is a listener, nor how often it may report. A task
that reads through a file needs no call of its own: see `Coverage`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MIN_PAUSE_S = 0.2
"""Between two reports, and before the first: most jobs are done by then and report nothing."""

MIN_STEP = 0.01
"""Between two reports; so a job makes at most a hundred."""

Listener = Callable[[float], object]
"""Called with the share of a job that is done: 0 for nothing, 1 for all."""


def report(fraction: float) -> None:
    """Report the share of the job that is done; what comes too soon, or adds too little, is dropped."""
    speaker = _SPEAKER.get()
    if speaker is not None:
        speaker.report(fraction)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Pass what is reported inside to `listener`."""
    token = _SPEAKER.set(_Speaker(listener))
    try:
        yield
    finally:
        _SPEAKER.reset(token)


class Coverage:
    """Reports how many of a file's hundredths have been read from.

    Neither the furthest byte nor the count of bytes would do: demuxers look at a file's end before they
    read it through, read some of it twice, and hop over what they need not see.
    """

    _PARTS = 100

    def __init__(self, size: int, tell: Listener = report) -> None:
        self._tell = tell
        self._size = max(size, 1)
        self._seen = bytearray(self._PARTS)

    def read(self, position: int, count: int) -> None:
        """Record that `count` bytes at `position` are read."""
        if count <= 0:
            return
        first, last = (self._part(place) for place in (position, position + count - 1))
        if 0 in self._seen[first : last + 1]:
            self._seen[first : last + 1] = b"\1" * (last + 1 - first)
            self._tell(sum(self._seen) / self._PARTS)

    def _part(self, place: int) -> int:
        return min(place * self._PARTS // self._size, self._PARTS - 1)


class _Speaker:
    """Passes on reports that are neither too soon nor too small."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._said = 0.0
        self._silent_until = time.monotonic() + MIN_PAUSE_S

    def report(self, fraction: float) -> None:
        if fraction < self._said + MIN_STEP or time.monotonic() < self._silent_until:
            return
        self._said, self._silent_until = fraction, time.monotonic() + MIN_PAUSE_S
        self._listener(fraction)


_SPEAKER: ContextVar[_Speaker | None] = ContextVar("speaker", default=None)
