"""Streams as blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from twinlens.store.chunks import BLOCK_BYTES, chunks


async def pieces(*sizes: int, then: Exception | None = None) -> AsyncIterator[bytes]:
    for number, size in enumerate(sizes):
        yield bytes([number]) * size
    if then:
        raise then


async def test_small_pieces_are_joined_and_come_in_order() -> None:
    half = BLOCK_BYTES // 2

    found = [bytes(block) async for block in chunks(pieces(half, half, 0, 1))]

    assert found == [b"\0" * half + b"\1" * half, b"\3"]


async def test_a_stream_without_bytes_has_no_blocks() -> None:
    assert [block async for block in chunks(pieces(0))] == []


async def test_whole_blocks_come_before_the_stream_breaks() -> None:
    coming = chunks(pieces(BLOCK_BYTES, 1, then=ValueError("broken")))

    assert len(await anext(coming)) == BLOCK_BYTES
    with pytest.raises(ValueError, match="broken"):
        await anext(coming)


async def test_the_next_block_is_fetched_while_one_is_used() -> None:
    fetched = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield bytes(BLOCK_BYTES)
        fetched.set()
        yield b"rest"

    seen = []
    async for block in chunks(stream()):
        await fetched.wait()
        seen.append(len(block))

    assert seen == [BLOCK_BYTES, len(b"rest")]


async def test_a_stream_is_closed_where_its_rest_is_not_wanted() -> None:
    closed = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(BLOCK_BYTES)
        finally:
            closed.set()

    coming = chunks(stream())
    await anext(coming)
    await coming.aclose()

    assert await asyncio.wait_for(closed.wait(), 120)
