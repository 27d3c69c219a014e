"""The worker process: takes one job at a time from the pool's socket, does it, and answers.

A job is one line of JSON, with the name of its task, and the descriptors of its files. It is acknowledged,
so that dying before a job is distinguished from dying of it. The answer is one line of JSON, and before it
there may be lines that report progress; decoded pixels are in the file that came with the job for them. The
process ends when the pool closes its end of the socket, or, if the pool died in the middle of a job, when
that job's time is over.

Every library is loaded at the start: what it maps then is outside the memory limit, and a job that may
open nothing could not load it. The one exception are the models of the charset detector.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from ...descriptors import write_all
from ...domain.engine import ImageForm
from ...domain.engine_media import Samples
from ...domain.media import ImageInfo, Pixels
from ...processes.environment import limit_memory
from ..decoders import frames, image, pages, pcm, pdf, sound, text, video
from ..decoders.charsets import load_detector
from ..decoders.encode import encode, pcm16
from ..decoders.scans import check_scans
from ..decoders.unreadable import Unreadable
from .reporting import Coverage, heard_by
from .source import DescriptorReader
from .time_slice import TimeSlice

MAX_MESSAGE_BYTES = 65_536
READY = b"{}\n"
"""Sent when the libraries are loaded, and whenever a job has been accepted."""
_DETAIL_CHARS = 2_000
_PATIENCE = 10

_OUT_OF_MEMORY = ("out of memory", "insufficient memory", "memory allocation", "allocate", "bad_alloc")
"""What decoders' messages contain when memory runs out, in lower case."""


def serve(connection: socket.socket, memory_bytes: int) -> None:
    """Answer jobs until the pool hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    image.limit_libraries()
    # What the libraries map is not the image's; the limit is for what decoding adds.
    limit_memory(memory_bytes)
    # What is loaded stays: clearing up after a job need not look at it again.
    gc.freeze()
    connection.sendall(READY)
    while True:
        line, descriptors, _, _ = socket.recv_fds(connection, MAX_MESSAGE_BYTES, 2)
        if not line:
            return
        connection.sendall(READY)
        with heard_by(lambda fraction: _say(connection, {"progress": fraction})):
            reply = _answer(json.loads(line), descriptors)
        _say(connection, reply)


def _say(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _answer(job: dict[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
    # If the pool is gone, nobody else would end a decoder that does not return. While it is there, it counts
    # the work: the clock on the wall goes on where others have the core.
    signal.setitimer(signal.ITIMER_PROF, job["seconds"])
    signal.alarm(_PATIENCE * job["seconds"])
    try:
        return TASKS[job["task"]](job, *descriptors)
    except Exception as error:
        # Whatever a decoder raises is about these bytes.
        detail = traceback.format_exc()[-_DETAIL_CHARS:]
        return {"error": _reason(error), "detail": detail, "codec": getattr(error, "codec", None)}
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for descriptor in descriptors:
            os.close(descriptor)


def _decode(job: dict[str, Any], source: int, buffer: int) -> dict[str, Any]:
    data = mmap.mmap(source, 0, access=mmap.ACCESS_READ)
    if job["info"]["format"] == "jpeg":
        check_scans(data)
    decoded = image.decode(memoryview(data), ImageInfo(**job["info"]), job["width"], job["height"])
    if job["form"] != "pixels":
        return _left([decoded], job["form"], buffer)
    shape = job["height"], job["width"], 3
    np.copyto(np.frombuffer(mmap.mmap(buffer, 0), np.uint8).reshape(shape), decoded)
    return {}


def _left(images: Iterable[Pixels], form: ImageForm, buffer: int) -> dict[str, Any]:
    """Write encoded images to the buffer, one after the other, and return their lengths."""
    files = [encode(pixels, form) for pixels in images]
    write_all(buffer, b"".join(files))
    return {"lengths": [len(file) for file in files]}


def _inspect(job: dict[str, Any], descriptor: int, _room: int) -> dict[str, Any]:
    coverage = Coverage(os.fstat(descriptor).st_size)
    with nothing_opened():
        return _INSPECTORS[job["decoder"]](DescriptorReader(descriptor, coverage.read), job["mime_type"])


def _sounds(job: dict[str, Any], source: int, buffer: int) -> dict[str, Any]:
    is_wav = job["form"] == "wav"
    samples = (
        np.empty(job["samples"], np.float32)
        if is_wav
        else np.frombuffer(mmap.mmap(buffer, 0), np.float32, job["samples"])
    )
    # What lies there may be of another job, and where there is no sound none is written.
    samples.fill(0)
    with nothing_opened():
        decode = _SOUNDS[job["decoder"]]
        count = decode(DescriptorReader(source), job["mime_type"], job["start"], samples, _slice(job))
    if is_wav:
        write_all(buffer, pcm16(samples[:count]))
    return {"samples": count}


def _frames(job: dict[str, Any], descriptor: int, buffer: int) -> dict[str, Any]:
    times, width, height = job["times"], job["width"], job["height"]
    pixels = np.frombuffer(mmap.mmap(buffer, 0), np.uint8).reshape(-1, height, width, 3)
    with nothing_opened():
        found = frames.decode(DescriptorReader(descriptor), times, pixels, _slice(job))
    if job["form"] == "pixels":
        return {"times": found}
    return {"times": found, **_left(pixels[: len(found)], job["form"], buffer)}


def _page_texts(job: dict[str, Any], source: int, buffer: int) -> dict[str, Any]:
    with nothing_opened():
        return pages.write_texts(DescriptorReader(source), job["pages"], buffer, _slice(job))


def _page_images(job: dict[str, Any], source: int, buffer: int) -> dict[str, Any]:
    with nothing_opened():
        reader, part = DescriptorReader(source), _slice(job)
        return pages.write_images(reader, job["pages"], job["sizes"], job["form"], buffer, part)


def _plain_text(job: dict[str, Any], source: int, buffer: int) -> dict[str, Any]:
    # Its models are for texts alone, so only who reads one has them.
    load_detector()
    with nothing_opened():
        return text.write(DescriptorReader(source), job["mime_type"], buffer, job["max_bytes"])


def _slice(job: dict[str, Any]) -> TimeSlice:
    """Return the time slice of a job, after which it is another's turn."""
    return TimeSlice(longest_s=job["seconds"] * _SHARE_OF_TIME)


_SHARE_OF_TIME = 1 / 3
"""Of what a job may take, where it is long because the way to its first piece is."""


TASKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "decode": _decode,
    "inspect": _inspect,
    "frames": _frames,
    "sounds": _sounds,
    "page texts": _page_texts,
    "page images": _page_images,
    "plain text": _plain_text,
}
"""The tasks by name. Each takes the job and its descriptors, and returns the reply."""

_INSPECTORS: Mapping[str, Callable[[IO[bytes], str], dict[str, Any]]] = {
    "recording": lambda file, _: video.inspect(file),
    "pdf": lambda file, _: pdf.inspect(file),
    "pcm": pcm.inspect,
}
"""Which function inspects a file, by its type's decoder (`domain/media_types.py`)."""

_SOUNDS: Mapping[str, Callable[[IO[bytes], str, float, Samples, TimeSlice], int]] = {
    "recording": lambda file, _, *piece: sound.decode(file, *piece),
    "pcm": pcm.decode,
}
"""Which function decodes audio, by its type's decoder."""


@contextmanager
def nothing_opened() -> Iterator[None]:
    """Allow no file or socket to be opened inside, whatever reference a demuxer wants to follow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _reason(error: Exception) -> str:
    if isinstance(error, Unreadable):
        return error.reason
    words = str(error).lower()
    out_of_memory = isinstance(error, MemoryError) or any(phrase in words for phrase in _OUT_OF_MEMORY)
    return "memory" if out_of_memory else "damaged"


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
