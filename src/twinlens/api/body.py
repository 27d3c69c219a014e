"""Receive a request's body once, into one buffer, and no more of it than allowed."""

from __future__ import annotations

from starlette.requests import Request

from ..domain.errors import InvalidArgument, PayloadTooLarge


async def read_body(request: Request, max_bytes: int) -> bytes | bytearray:
    """Read the whole body. A declared size over the limit is refused before a byte is read."""
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdigit() else 0
    if size > max_bytes:
        raise PayloadTooLarge(max_bytes)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidArgument("Send the request body without Content-Encoding.")
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > max_bytes:
            raise PayloadTooLarge(max_bytes)
        if len(chunk) == size:
            return chunk
        body += chunk
    return body
