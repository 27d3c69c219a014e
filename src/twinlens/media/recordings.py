"""The jobs that read recordings, seen from the server: the frames of a video, and the sound.

What comes back is less than what was asked for where a worker's time or room is over before; the rest is
asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..domain.engine_media import SAMPLE_RATE, Samples
from ..domain.errors import BadMedia
from ..domain.media import Blob
from ..domain.media_types import MP4
from .inspection import Inspect, reading_of
from .worker.jobs import Job, Limits, OpenFile, file_of, fill
from .worker.process import Reply, WorkerDied

MAX_BATCH_BYTES = 64 << 20
MAX_BATCH_FRAMES = 500
"""What one job gives at most, whatever is asked for; one frame is always given."""

_MAX_TIME_S = 1e7


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Frames of one size, and the time of each in seconds from the first picture.

    `pixels` are upright and RGB, shape (frames, height, width, 3).
    """

    pixels: NDArray[np.uint8]
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Frames(Job[FrameBatch]):
    """Decode the frames that are shown at rising times, as many as time allows."""

    task: ClassVar[str] = "frames"

    blob: Blob
    times: tuple[float, ...]
    width: int
    height: int

    @property
    def subject(self) -> str:
        """Name the field, and how much is wanted."""
        return f"{self.blob.field} ({len(self.times)} frames of {self.blob.mime_type})"

    def message(self) -> Mapping[str, object]:
        """Say which frames are wanted, with the one after them, and of what size."""
        return {"times": self.times[: self._most + 1], "width": self.width, "height": self.height}

    @property
    def room_bytes(self) -> int:
        """Ask for room for the pixels."""
        return self._most * self._frame_bytes

    @contextmanager
    def file(self) -> Iterator[OpenFile]:
        """Hold the recording."""
        yield file_of(self.blob)

    def result(self, reply: Reply, room: OpenFile) -> FrameBatch:
        """Copy the pixels out."""
        times = _times(reply, self._most)
        pixels = np.empty((len(times), self.height, self.width, 3), np.uint8)
        fill(pixels, room)
        return FrameBatch(pixels, times)

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Say why there are no frames."""
        return refusal(self.blob, reason, reply, limits)

    @property
    def _most(self) -> int:
        return min(len(self.times), MAX_BATCH_FRAMES, max(MAX_BATCH_BYTES // self._frame_bytes, 1))

    @property
    def _frame_bytes(self) -> int:
        return self.width * self.height * 3


@dataclass(frozen=True, slots=True)
class Sounds(Job[Samples]):
    """Decode the sound between two times, as much as time allows; silence where there is none."""

    task: ClassVar[str] = "sounds"

    blob: Blob
    start: float
    end: float

    @property
    def subject(self) -> str:
        """Name the field, and how much is wanted."""
        return f"{self.blob.field} ({self.end - self.start:g} s of sound of {self.blob.mime_type})"

    def message(self) -> Mapping[str, object]:
        """Say which samples are wanted."""
        return {"start": self.start, "samples": self._samples, **reading_of(self.blob.mime_type)}

    @property
    def room_bytes(self) -> int:
        """Ask for room for the samples."""
        return max(self._samples, 1) * np.dtype(np.float32).itemsize

    @contextmanager
    def file(self) -> Iterator[OpenFile]:
        """Hold the recording."""
        yield file_of(self.blob)

    def result(self, reply: Reply, room: OpenFile) -> Samples:
        """Copy the samples out."""
        count = reply.get("samples")
        if type(count) is not int or not min(self._samples, 1) <= count <= self._samples:
            raise WorkerDied("crash", "answered nonsense for samples")
        samples = np.empty(count, np.float32)
        fill(samples, room)
        if not np.isfinite(samples).all():
            raise WorkerDied("crash", "left what are no numbers")
        return np.clip(samples, -1, 1, out=samples)

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Say why there is no sound."""
        if reason == "mute":
            return BadMedia("The recording holds no sound. Send one that does.", field=self.blob.field)
        return refusal(self.blob, reason, reply, limits)

    @property
    def _samples(self) -> int:
        return round((self.end - self.start) * SAMPLE_RATE)


def refusal(blob: Blob, reason: object, reply: Reply, limits: Limits) -> BadMedia:
    """Say why a recording cannot be read, in the words that a look into it would have had."""
    look = Inspect(blob, blob.mime_type or MP4)
    return BadMedia(look.refusal(reason, reply, limits).message, field=blob.field)


def _times(reply: Reply, most: int) -> tuple[float, ...]:
    times = reply.get("times")
    if not isinstance(times, list) or not 1 <= len(times) <= most or not all(map(_is_time, times)):
        raise WorkerDied("crash", "answered nonsense for times")
    return tuple(map(float, times))


def _is_time(said: object) -> bool:
    return isinstance(said, int | float) and type(said) is not bool and abs(said) <= _MAX_TIME_S
