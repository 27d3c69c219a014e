"""The jobs that a worker process is given, seen from the server: what goes out, what may come back.

A worker's word is taken for nothing but a row in a table or a number within a range. The sentences
that a caller reads are written here and in `inspection.py`, never in a decoder.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import IO, ClassVar, Generic, TypeVar

import numpy as np

from ..domain.errors import BadMedia
from ..domain.media import Blob, Data, MediaInfo, Pixels
from .admission import UNABLE
from .process import Lost, Reply

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take."""

    memory_mib: int
    timeout_s: float


class Job(ABC, Generic[Result]):
    """One piece of work for a worker process, and what to make of the answer."""

    task: ClassVar[str]
    """The worker's name for what is to be done: a row of `sandbox.TASKS`."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """Name what the job is about, for the log."""

    @abstractmethod
    def message(self) -> Mapping[str, object]:
        """Say what the worker has to know, as JSON."""

    @abstractmethod
    def files(self) -> AbstractContextManager[Sequence[IO[bytes]]]:
        """Hold open the files whose descriptors go to the worker."""

    @abstractmethod
    def result(self, reply: Reply, files: Sequence[IO[bytes]]) -> Result:
        """Take what the worker found. Raises `Lost` for nonsense, `BadMedia` for too much."""

    @abstractmethod
    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Say why there is no result. A reason that is in no table counts as a crash."""


@dataclass(frozen=True, slots=True)
class Decode(Job[Pixels]):
    """Decode an image to upright RGB of exactly `width` x `height`; bytes and pixels are copied once."""

    task: ClassVar[str] = "decode"

    blob: Blob
    info: MediaInfo
    width: int
    height: int

    @property
    def subject(self) -> str:
        """Name the field and the format."""
        return f"{self.blob.field} ({self.info.format})"

    def message(self) -> Mapping[str, object]:
        """Say what the header says and what size is wanted."""
        return {"info": asdict(self.info), "width": self.width, "height": self.height}

    @contextmanager
    def files(self) -> Iterator[Sequence[IO[bytes]]]:
        """Hold the encoded bytes, and room for the pixels."""
        with _anonymous_file() as source, _anonymous_file() as room:
            _write(source, self.blob.data)
            os.truncate(room.fileno(), self.width * self.height * 3)
            yield source, room

    def result(self, reply: Reply, files: Sequence[IO[bytes]]) -> Pixels:
        """Copy the pixels out. Reading, unlike mapping, is safe against a worker that cuts the file."""
        _, room = files
        pixels = np.empty((self.height, self.width, 3), np.uint8)
        flat = pixels.data.cast("B")
        done = 0
        while done < pixels.nbytes:
            count = os.preadv(room.fileno(), [flat[done:]], done)
            if not count:
                raise Lost("crash", "left too few pixels")
            done += count
        return pixels

    def refusal(self, reason: object, reply: Reply, limits: Limits) -> BadMedia:
        """Say why there are no pixels."""
        why = sentence(_REFUSALS, reason).format(format=self.info.format.upper(), **asdict(limits))
        return BadMedia(f"{UNABLE} {why}", field=self.blob.field)


def sentence(refusals: Mapping[str, str], reason: object) -> str:
    """Find the words for a reason, whatever it is that a worker gave for one."""
    known = isinstance(reason, str) and reason in refusals
    return refusals[str(reason) if known else "crash"]


_REFUSALS: Mapping[str, str] = {
    "damaged": "The {format} data is damaged or incomplete. Check the file and send it again.",
    "mismatch": "The {format} data does not have the size that its header states.",
    "depth": "This {format} image has 32 bits a channel. Convert it to 8 or 16 and send it again.",
    "memory": "Decoding it takes more than {memory_mib} MiB of memory. Scale it down and send it again.",
    "time": "Decoding it takes longer than {timeout_s:g} s. Scale it down and send it again.",
    "crash": "The decoder cannot handle this {format} data. Convert it to PNG or JPEG and send it again.",
}
"""What the caller is told, by the reason a job failed for."""


def _anonymous_file() -> IO[bytes]:
    """Open a file without a name: in memory where the system can, else in the temporary folder."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("media"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _write(file: IO[bytes], data: Data) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
