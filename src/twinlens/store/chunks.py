"""A stream of small pieces as blocks worth a trip to another thread, each fetched ahead of its use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

BLOCK_BYTES = 1024 * 1024
"""Written at a time: the memory an upload takes, three times over."""


def chunks(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytearray, None]:
    """Join the pieces of a stream into blocks."""
    return _ahead(_gathered(stream))


async def _gathered(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytearray, None]:
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= BLOCK_BYTES:
            yield waiting
            waiting = bytearray()
    if waiting:
        yield waiting


async def _ahead(chunks: AsyncGenerator[bytearray, None]) -> AsyncGenerator[bytearray, None]:
    """Fetch the next block from the network while the caller writes this one to the disk."""
    coming = asyncio.ensure_future(anext(chunks, None))
    try:
        while (block := await coming) is not None:
            coming = asyncio.ensure_future(anext(chunks, None))
            yield block
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        if not coming.cancelled():
            # A stream that broke behind what the caller wanted of it.
            coming.exception()
        await chunks.aclose()
