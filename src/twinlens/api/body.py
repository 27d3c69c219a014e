"""Receive a request's body once, no more of it than allowed, and not from a client that has fallen silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from ..concurrency.body_memory import Reservation
from ..domain.errors import DeadlineExceeded, InvalidArgument, PayloadTooLarge

MIN_BYTES = 16 * 1024
"""Of a body must come in as long as a pause may be, unless it ends: nobody who means it is slower."""

_PLAIN = {"content-encoding": "identity", "transfer-encoding": "chunked"}
"""The one coding that a body may have in each header: its bytes are taken as they come."""


async def read_body(
    request: Request, max_bytes: int, pause_s: float, reservation: Reservation | None = None
) -> bytes | bytearray:
    """Receive the whole body. A declared size over the limit is refused before a byte is read.

    Where bodies lie in memory for long, `reservation` is the room that this one takes there.
    """
    size = declared_length(request)
    if size is not None and size > max_bytes:
        raise PayloadTooLarge(max_bytes)
    body = bytearray()
    async for chunk in steadily(arriving(request, pause_s), pause_s):
        if len(body) + len(chunk) > max_bytes:
            raise PayloadTooLarge(max_bytes)
        if reservation is not None:
            await reservation.grow(len(chunk))
        if len(chunk) == size:
            return chunk
        body += chunk
    return body


def declared_length(request: Request) -> int | None:
    """Return the declared size of a body; None for a chunked one."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


async def arriving(request: Request, pause_s: float) -> AsyncIterator[bytes]:
    """Yield the pieces of a body as they come; refuse one that is encoded, or that stops for so long."""
    for name, plain in _PLAIN.items():
        if any(coding.strip().lower() != plain for coding in request.headers.getlist(name)):
            raise InvalidArgument(f"Send the request body without {name.title()} other than {plain}.")
    pieces = request.stream()
    while True:
        try:
            async with asyncio.timeout(pause_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as cause:
            raise DeadlineExceeded(f"Nothing more of the request came for {pause_s:g} s.") from cause
        yield piece


async def steadily(pieces: AsyncIterator[bytes], period_s: float) -> AsyncIterator[bytes]:
    """Pass on the pieces of a body; refuse one that only trickles. Only the time counts that they take."""
    now = asyncio.get_running_loop().time
    waited, come, asked = 0.0, 0, now()
    async for piece in pieces:
        waited, come = waited + now() - asked, come + len(piece)
        if come >= MIN_BYTES:
            waited, come = 0.0, 0
        elif piece and waited > period_s:
            raise DeadlineExceeded(f"Less than {MIN_BYTES} bytes of the request came in {period_s:g} s.")
        yield piece
        asked = now()
