"""Receive a request's body once, no more of it than allowed, and not from a client that has fallen silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from starlette.requests import Request

from ..domain.errors import DeadlineExceeded, InvalidArgument, PayloadTooLarge

T = TypeVar("T")

PARSE_ON_LOOP_BYTES = 256 * 1024
"""Smaller bodies are read faster than a thread is woken."""


async def read_body(request: Request, max_bytes: int, pause_s: float) -> bytes | bytearray:
    """Read the whole body. A declared size over the limit is refused before a byte is read."""
    size = declared_length(request)
    if size is not None and size > max_bytes:
        raise PayloadTooLarge(max_bytes)
    body = bytearray()
    async for chunk in arriving(request, pause_s):
        if len(body) + len(chunk) > max_bytes:
            raise PayloadTooLarge(max_bytes)
        if len(chunk) == size:
            return chunk
        body += chunk
    return body


def declared_length(request: Request) -> int | None:
    """Give the size that a body is said to have; None where it comes in chunks until it ends."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


async def arriving(request: Request, pause_s: float) -> AsyncIterator[bytes]:
    """Give the pieces of a body as they come; refuse one that is encoded, or that stops for so long."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidArgument("Send the request body without Content-Encoding.")
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


async def parsed(body: bytes | bytearray, read: Callable[[bytes | bytearray], T]) -> T:
    """Make of a body what `read` makes of it, off the event loop where that takes long."""
    if len(body) <= PARSE_ON_LOOP_BYTES:
        return read(body)
    return await asyncio.to_thread(read, body)
