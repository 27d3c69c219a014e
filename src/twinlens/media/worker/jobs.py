"""The jobs that a worker process is given, seen from the server: what goes out, what may come back.

A worker's reply is untrusted: it selects a row of a table or is a number within a range. The messages
that a caller reads are written here and in `inspection.py`, never by a decoder.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np

from ...descriptors import anonymous_file, read_exactly, write_all
from ...domain.engine import ImageForm
from ...domain.errors import BadMedia
from ...domain.media import Blob, Descriptor, EncodedImage, ImageData, ImageInfo, Pixels
from ...processes.shared_memory import SHARED_BYTES, sealed
from ..headers.admission import UNABLE
from .process import Reply, WorkerDied

Result = TypeVar("Result")


_LEAST_S = 2.0
"""In less, a hang cannot be distinguished from a hiccup of the machine. Chosen, not measured."""


class OpenFile(Protocol):
    """Whatever has a descriptor that can be sent to a worker."""

    def fileno(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take."""

    memory_mib: int
    timeout_s: float

    def part(self, share: float) -> float:
        """Return a sixth of the timeout plus `share` of the rest, and at least two seconds if it has them."""
        return min(max(self.timeout_s * (1 + 5 * share) / 6, _LEAST_S), self.timeout_s)


class Job(ABC, Generic[Result]):
    """One piece of work for a worker process: its message, and how its reply is parsed."""

    task: ClassVar[str]
    """The worker's name for what is to be done: a row of `main.TASKS`."""

    blob: Blob
    """What it is done on."""

    @property
    def stays(self) -> bool:
        """Whether the result stays in the buffer and is not copied: see `pixels_in`."""
        return False

    @property
    def is_long(self) -> bool:
        """Whether it may take long: such jobs leave one worker to others, if there are several."""
        return True

    def limit_s(self, limits: Limits) -> float:
        """Return how long it may take, in seconds."""
        return limits.timeout_s

    @property
    @abstractmethod
    def subject(self) -> str:
        """What the job is about, for the log."""

    @abstractmethod
    def message(self) -> Mapping[str, object]:
        """Return the fields of the worker's message, for JSON."""

    @property
    def buffer_bytes(self) -> int:
        """The size of the result buffer: 0 where the worker sets it, or needs none."""
        return 0

    def file(self) -> AbstractContextManager[OpenFile]:
        """Return the open file whose descriptor goes to the worker: the one that the blob is stored in."""
        return nullcontext(file_of(self.blob))

    @abstractmethod
    def result(self, reply: Reply, buffer: OpenFile) -> Result:
        """Parse the reply and the buffer. Raises `WorkerDied` for nonsense, `BadMedia` for too much."""

    @abstractmethod
    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Return the error for the caller. A reason that is in no table counts as a crash."""


@dataclass(frozen=True, slots=True)
class Decode(Job[ImageData]):
    """Decode an image to upright RGB of exactly `width` x `height`, as pixels or as a file of that form.

    Bytes are copied once, and pixels not at all.
    """

    task: ClassVar[str] = "decode"

    blob: Blob
    info: ImageInfo
    width: int
    height: int
    form: ImageForm = "pixels"

    @property
    def subject(self) -> str:
        """The field and the format, for the log."""
        return f"{self.blob.field} ({self.info.format})"

    @property
    def is_long(self) -> bool:
        """Whether it takes more than about a second, estimated from its size and format."""
        return self._megapixels * _SECONDS_A_MEGAPIXEL.get(self.info.format, _USUAL) > 1

    def limit_s(self, limits: Limits) -> float:
        """Return the whole timeout for 200 megapixels, and less for fewer."""
        return limits.part(self._megapixels / _MOST_MEGAPIXELS)

    @property
    def _megapixels(self) -> float:
        return self.info.width * self.info.height / 1e6

    @property
    def stays(self) -> bool:
        """Whether it is pixels."""
        return self.form == "pixels"

    def message(self) -> Mapping[str, object]:
        """Return what the header says, the size and the form."""
        return {
            "info": asdict(self.info),
            "width": self.width,
            "height": self.height,
            "form": self.form,
        }

    @property
    def buffer_bytes(self) -> int:
        """The bytes of the pixels."""
        return self.width * self.height * 3

    @contextmanager
    def file(self) -> Iterator[OpenFile]:
        """Yield a file of the encoded bytes: their own, or a new one in memory."""
        if self.blob.file is not None:
            yield self.blob.file
            return
        with anonymous_file() as source:
            write_all(source.fileno(), self.blob.data)
            yield source

    def result(self, reply: Reply, buffer: OpenFile) -> ImageData:
        """Return the pixels, or the encoded image."""
        sizes = ((self.width, self.height),)
        if self.form != "pixels":
            return encoded_images(reply, buffer, sizes, self.form)[0]
        return pixels_in(buffer, sizes)[0]

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Return the error for an image that could not be decoded."""
        why = sentence(_REFUSALS, reason).format(format=self.info.format.upper(), **asdict(limits))
        return BadMedia(f"{UNABLE} {why}", field=self.blob.field)


def pixels_in(buffer: OpenFile, sizes: Sequence[tuple[int, int]]) -> tuple[Pixels, ...]:
    """Return the images of these (width, height) that a worker has written one after the other.

    They stay in the buffer if it is sealed against writing; else they are copied: reading, unlike mapping,
    is safe from a worker that goes on writing.
    """
    size = sum(width * height * 3 for width, height in sizes)
    segment = sealed(buffer.fileno(), size) if size >= SHARED_BYTES else None
    if segment is None:
        flat = np.empty(size, np.uint8)
        fill(flat.data, buffer)
    else:
        flat = np.frombuffer(segment, np.uint8)
    images, start = [], 0
    for width, height in sizes:
        end = start + width * height * 3
        images.append(flat[start:end].reshape(height, width, 3))
        start = end
    return tuple(images)


def encoded_images(
    reply: Reply, buffer: OpenFile, sizes: Sequence[tuple[int, int]], form: ImageForm
) -> tuple[EncodedImage, ...]:
    """Copy out the encoded images of these (width, height) that a worker has written one after the other."""
    lengths, start, images = reply.get("lengths"), 0, []
    if not isinstance(lengths, list) or len(lengths) != len(sizes):
        raise WorkerDied("crash", "answered nonsense for lengths")
    for length, (width, height) in zip(lengths, sizes, strict=True):
        if type(length) is not int or not 0 < length <= 4 * width * height + MAX_HEAD_BYTES:
            raise WorkerDied("crash", "answered nonsense for a length")
        data = bytearray(length)
        start = fill(memoryview(data), buffer, start)
        images.append(EncodedImage(f"image/{form}", width, height, bytes(data)))
    return tuple(images)


MAX_HEAD_BYTES = 64 * 1024
"""Of an encoded image, beside what its pixels take: all encoders are far below four bytes a pixel."""


def sentence(refusals: Mapping[str, str], reason: object) -> str:
    """Return the message for a reason; whatever is in no table counts as a crash."""
    known = isinstance(reason, str) and reason in refusals
    return refusals[str(reason) if known else "crash"]


_SECONDS_A_MEGAPIXEL: Mapping[str, float] = {"heif": 0.045, "jpeg": 0.005}
_USUAL = 0.015
"""Seconds that decoding a megapixel takes at most, by format: an estimate for a current core, which only
decides which jobs count as long."""

_MOST_MEGAPIXELS = 200.0

_REFUSALS: Mapping[str, str] = {
    "scans": "The JPEG data has more scans than any camera or program makes. Save it anew and send it again.",
    "damaged": "The {format} data is damaged or incomplete. Check the file and send it again.",
    "codec": "This sort of {format} image is not read. Convert it to PNG or JPEG and send it again.",
    "mismatch": "The {format} data does not have the size that its header states.",
    "depth": "This {format} image has 32 bits a channel. Convert it to 8 or 16 and send it again.",
    "memory": "Decoding it takes more than {memory_mib} MiB of memory. Scale it down and send it again.",
    "time": "Decoding it takes longer than {timeout_s:g} s. Scale it down and send it again.",
    "crash": "The decoder cannot handle this {format} data. Convert it to PNG or JPEG and send it again.",
}
"""The caller's error message, by the reason a job failed for."""


def to_file(blob: Blob) -> Blob:
    """Return the same blob stored in a file, for the jobs that read one; one that has a file is unchanged."""
    if blob.file is not None:
        return blob
    with anonymous_file() as file:
        write_all(file.fileno(), blob.data)
        return replace(blob, file=Descriptor(os.dup(file.fileno())))


def file_of(blob: Blob) -> Descriptor:
    """Return the file that a blob is stored in. Raises `ValueError` for one without: see `to_file`."""
    if blob.file is None:
        raise ValueError("this blob lies in no file")
    return blob.file


def fill(target: memoryview, buffer: OpenFile, at: int = 0) -> int:
    """Copy from the buffer at an offset into `target`, and return the offset after it."""
    try:
        return read_exactly(buffer.fileno(), target, at)
    except EOFError as error:
        raise WorkerDied("crash", "left too little") from error
