"""Pieces of an answer as a stream of bytes: server-sent events, or one JSON array."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.types import Message

from ..wire.encoding import JSON


@dataclass(frozen=True, slots=True)
class Framing:
    """How one form of stream begins, ends, and sets its pieces apart.

    `bare_failure` says that a failure comes twice: by itself first, and then as a piece.
    """

    media_type: str
    before: bytes
    first: bytes
    between: bytes
    after_each: bytes
    end: bytes
    bare_failure: bool = False


# Nothing but `data: ` lines and blank lines: clients choke on comments, events and [DONE]. A failure is the
# exception. The Go client looks for it only in an event that is a JSON object without `data: `, and takes a
# stream without one for whole; JavaScript's looks there only where nothing follows in the same read. Both
# forms, in this order, are the one thing that all of them understand.
SSE = Framing("text/event-stream", b"", b"data: ", b"data: ", b"\r\n\r\n", b"", bare_failure=True)
ARRAY = Framing(JSON, b"[", b"", b",\r\n", b"\n", b"]")


def named_event(name: str, data: bytes) -> bytes:
    """Write one event of a stream whose events have names, as the Interactions API's have."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


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
        told = write_failure(failure)
        bare = told + framing.after_each if framing.bare_failure else b""
        yield bare + lead + told + framing.after_each
    yield framing.end
