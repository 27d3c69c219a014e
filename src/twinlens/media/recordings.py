"""The jobs that read recordings, seen from the server: the frames of a video, and the audio.

Less than what was asked for comes back where a worker's time slice or buffer ends before; the rest is
asked for again.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..domain.engine import AudioForm, ImageForm
from ..domain.engine_media import SAMPLE_RATE, Samples
from ..domain.media import Blob, ImageData
from ..domain.media_types import MP4
from .inspection import InspectedJob, reading_of
from .worker.jobs import OpenFile, Result, encoded_images, fill, pixels_in
from .worker.process import Reply, WorkerDied

MAX_BATCH_BYTES = 64 << 20
MAX_BATCH_FRAMES = 500
"""The most that one job returns; one frame is always returned. Chosen, not measured."""

_MAX_TIME_S = 1e7


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Frames of one size, and the time of each in seconds from the first frame.

    `images` are upright and RGB, as pixels or encoded.
    """

    images: Sequence[ImageData]
    times: tuple[float, ...]


class _RecordingJob(InspectedJob[Result]):
    """A job on a recording, which has the type of its label."""

    @property
    def mime_type(self) -> str:
        """The type that it was inspected as."""
        return self.blob.mime_type or MP4


@dataclass(frozen=True, slots=True)
class Frames(_RecordingJob[FrameBatch]):
    """Decode the frames that are shown at rising times, as many as time allows."""

    task: ClassVar[str] = "frames"

    blob: Blob
    times: tuple[float, ...]
    width: int
    height: int
    form: ImageForm = "pixels"

    @property
    def subject(self) -> str:
        """The field, and how much is requested, for the log."""
        return f"{self.blob.field} ({len(self.times)} frames of {self.blob.mime_type})"

    def message(self) -> Mapping[str, object]:
        """Return the times, with the one after them, the size and the form."""
        return {
            "times": self.times[: self._most + 1],
            "width": self.width,
            "height": self.height,
            "form": self.form,
        }

    @property
    def stays(self) -> bool:
        """Whether it is pixels."""
        return self.form == "pixels"

    @property
    def buffer_bytes(self) -> int:
        """The bytes of the pixels, from which the worker encodes where files are requested."""
        return self._most * self._frame_bytes

    def result(self, reply: Reply, buffer: OpenFile) -> FrameBatch:
        """Return the frames, as pixels or encoded, with their times."""
        times = _times(reply, self._most)
        sizes = ((self.width, self.height),) * len(times)
        if self.form != "pixels":
            return FrameBatch(encoded_images(reply, buffer, sizes, self.form), times)
        return FrameBatch(pixels_in(buffer, sizes), times)

    @property
    def _most(self) -> int:
        return min(len(self.times), MAX_BATCH_FRAMES, max(MAX_BATCH_BYTES // self._frame_bytes, 1))

    @property
    def _frame_bytes(self) -> int:
        return self.width * self.height * 3


@dataclass(frozen=True, slots=True)
class Sounds(_RecordingJob[Samples | bytes]):
    """Decode the audio between two times, as much as time allows; silence where there is none.

    The form is samples, or one WAV file of 16 bits.
    """

    task: ClassVar[str] = "sounds"
    own_refusals: ClassVar[Mapping[str, str]] = {"mute": "The recording holds no audio. Send one that does."}

    blob: Blob
    start: float
    end: float
    form: AudioForm = "samples"

    @property
    def subject(self) -> str:
        """The field, and how much is requested, for the log."""
        return f"{self.blob.field} ({self.end - self.start:g} s of audio of {self.blob.mime_type})"

    def message(self) -> Mapping[str, object]:
        """Return the time span, the form and the decoder."""
        reading = reading_of(self.blob.mime_type)
        return {"start": self.start, "samples": self._samples, "form": self.form, **reading}

    @property
    def buffer_bytes(self) -> int:
        """The bytes of the samples."""
        return max(self._samples, 1) * np.dtype(np.float32).itemsize

    def result(self, reply: Reply, buffer: OpenFile) -> Samples | bytes:
        """Copy the samples out of the buffer; those of 16 bits get a WAV header."""
        count = reply.get("samples")
        if type(count) is not int or not min(self._samples, 1) <= count <= self._samples:
            raise WorkerDied("crash", "answered nonsense for samples")
        if self.form == "wav":
            data = bytearray(count * _WAV_SAMPLE_BYTES)
            fill(memoryview(data), buffer)
            return _wav_head(len(data)) + data
        samples = np.empty(count, np.float32)
        fill(samples.data, buffer)
        if not np.isfinite(samples).all():
            raise WorkerDied("crash", "left what are no numbers")
        return np.clip(samples, -1, 1, out=samples)

    @property
    def _samples(self) -> int:
        return round((self.end - self.start) * SAMPLE_RATE)


def wav_samples(data: bytes) -> int:
    """Return the number of samples in a WAV file that `Sounds` has made."""
    return (len(data) - _WAV_HEAD.size) // _WAV_SAMPLE_BYTES


_WAV_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
_WAV_SAMPLE_BYTES, _WAV_BITS, _PCM = 2, 16, 1


def _wav_head(data_bytes: int) -> bytes:
    """Encode the header of a WAV file of 16-bit PCM, one channel at `SAMPLE_RATE`."""
    form = 16, _PCM, 1, SAMPLE_RATE, SAMPLE_RATE * _WAV_SAMPLE_BYTES, _WAV_SAMPLE_BYTES, _WAV_BITS
    size = _WAV_HEAD.size - 8 + data_bytes
    return _WAV_HEAD.pack(b"RIFF", size, b"WAVE", b"fmt ", *form, b"data", data_bytes)


def _times(reply: Reply, most: int) -> tuple[float, ...]:
    times = reply.get("times")
    if not isinstance(times, list) or not 1 <= len(times) <= most or not all(map(_is_time, times)):
        raise WorkerDied("crash", "answered nonsense for times")
    return tuple(map(float, times))


def _is_time(said: object) -> bool:
    return isinstance(said, int | float) and type(said) is not bool and abs(said) <= _MAX_TIME_S
