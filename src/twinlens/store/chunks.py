"""A stream of small pieces as blocks worth a trip to another thread, each fetched ahead of its use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from ..concurrency.tasks import read_ahead

BLOCK_BYTES = 1024 * 1024
"""Written at a time: the memory an upload takes, three times over."""


def chunks(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytearray, None]:
    """Join the pieces of a stream into blocks: the next is fetched while one is written to the disk."""
    return read_ahead(_gathered(stream))


async def _gathered(stream: AsyncIterable[bytes]) -> AsyncGenerator[bytearray, None]:
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= BLOCK_BYTES:
            yield waiting
            waiting = bytearray()
    if waiting:
        yield waiting
