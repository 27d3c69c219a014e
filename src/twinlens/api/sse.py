"""Pieces of an answer as a stream of bytes: server-sent events, or one JSON array."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.types import Message


@dataclass(frozen=True, slots=True)
class Framing:
    """How one form of stream begins, ends, and sets its pieces apart."""

    media_type: str
    before: bytes
    first: bytes
    between: bytes
    after_each: bytes
    end: bytes


# Nothing but `data: ` lines and blank lines: clients choke on comments, events and [DONE].
SSE = Framing("text/event-stream", b"", b"data: ", b"data: ", b"\r\n\r\n", b"")
ARRAY = Framing("application/json; charset=UTF-8", b"[", b"", b",\r\n", b"\n", b"]")


def stream_start(media_type: str) -> Message:
    """Give the head of a response whose body comes in pieces."""
    headers = [
        (b"content-type", media_type.encode()),
        # Compression would hold pieces back.
        (b"content-encoding", b"identity"),
        (b"cache-control", b"no-store"),
    ]
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def framed(
    pieces: AsyncGenerator[bytes, None], framing: Framing, write_failure: Callable[[Exception], bytes]
) -> AsyncGenerator[bytes, None]:
    """Frame the pieces. A failure on the way becomes the last piece, and the stream ends in order."""
    yield framing.before
    lead = framing.first
    try:
        async for piece in pieces:
            yield lead + piece + framing.after_each
            lead = framing.between
    except Exception as failure:
        yield lead + write_failure(failure) + framing.after_each
    yield framing.end
