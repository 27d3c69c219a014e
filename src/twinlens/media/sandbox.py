"""The worker process: takes one job at a time from the pool's socket, decodes it, and answers.

A job is one line of JSON and two descriptors: the encoded bytes, and room for the pixels. It is
acknowledged, so that a death before it is told from a death of it. The answer is one line of JSON; the
pixels are in the room. The process ends when the pool closes its end of the
socket, or, if the pool died in the middle of a job, when that job's time is over.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import socket
import sys
import traceback
from typing import Any

import numpy as np

from ..domain.media import MediaInfo
from . import image

MAX_MESSAGE_BYTES = 65_536
READY = b"{}\n"
"""Said when the libraries are loaded, and whenever a job has been taken."""
_DETAIL_CHARS = 2_000


_OUT_OF_MEMORY = ("out of memory", "insufficient memory", "memory allocation", "allocate", "bad_alloc")
"""How decoders put it that they got no memory, in lower case."""


def serve(connection: socket.socket, memory_bytes: int) -> None:
    """Answer jobs until the pool hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    image.limit_libraries()
    # What the libraries map is not the image's; the limit is for what decoding adds.
    _limit_memory(memory_bytes)
    connection.sendall(READY)
    while True:
        line, descriptors, _, _ = socket.recv_fds(connection, MAX_MESSAGE_BYTES, 2)
        if not line:
            return
        connection.sendall(READY)
        reply = _answer(json.loads(line), *descriptors)
        connection.sendall(json.dumps(reply).encode() + b"\n")


def _answer(job: dict[str, Any], source: int, room: int) -> dict[str, str]:
    # If the pool is gone, nobody else would end a decoder that does not return.
    signal.alarm(job["seconds"])
    try:
        _decode(job, source, room)
    except Exception as error:
        # Whatever a decoder raises is about these bytes.
        return {"error": _reason(error), "detail": traceback.format_exc()[-_DETAIL_CHARS:]}
    finally:
        signal.alarm(0)
        os.close(source)
        os.close(room)
    return {}


def _decode(job: dict[str, Any], source: int, room: int) -> None:
    data = memoryview(mmap.mmap(source, 0, access=mmap.ACCESS_READ))
    shape = job["height"], job["width"], 3
    pixels = np.frombuffer(mmap.mmap(room, 0), np.uint8).reshape(shape)
    np.copyto(pixels, image.decode(data, MediaInfo(**job["info"]), job["width"], job["height"]))


def _reason(error: Exception) -> str:
    if isinstance(error, image.Unreadable):
        return error.reason
    words = str(error).lower()
    out_of_memory = isinstance(error, MemoryError) or any(phrase in words for phrase in _OUT_OF_MEMORY)
    return "memory" if out_of_memory else "damaged"


def _limit_memory(extra_bytes: int) -> None:
    """Cap the address space at what is mapped now and `extra_bytes` more, where the system tells."""
    try:
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (mapped + extra_bytes, mapped + extra_bytes))


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
