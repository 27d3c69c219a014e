"""Pieces of an answer as a stream of bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from twinlens.api.sse import ARRAY, SSE, Framing, framed, named_event, stream_start


async def pieces(*given: bytes, then: Exception | None = None) -> AsyncGenerator[bytes, None]:
    for piece in given:
        yield piece
    if then is not None:
        raise then


async def written(framing: Framing, *given: bytes, then: Exception | None = None) -> bytes:
    stream = framed(pieces(*given, then=then), framing, lambda failure: f'"{failure}"'.encode())
    return b"".join([piece async for piece in stream])


@pytest.mark.parametrize(
    ("framing", "wanted"),
    [
        (SSE, b"data: 1\r\n\r\ndata: 2\r\n\r\n"),
        (ARRAY, b"[1\n,\r\n2\n]"),
    ],
)
async def test_pieces_are_set_apart(framing: Framing, wanted: bytes) -> None:
    assert await written(framing, b"1", b"2") == wanted


async def test_an_empty_array_is_one() -> None:
    assert await written(ARRAY) == b"[]"


async def test_a_failure_is_the_last_piece_of_an_array() -> None:
    assert await written(ARRAY, b"1", then=ValueError("no")) == b'[1\n,\r\n"no"\n]'


async def test_a_failure_comes_bare_first_and_then_as_an_event() -> None:
    """The only form that the Go, Python and JavaScript clients all understand."""
    assert await written(SSE, b"1", then=ValueError("no")) == b'data: 1\r\n\r\n"no"\r\n\r\ndata: "no"\r\n\r\n'


def test_an_event_has_its_name_before_its_data() -> None:
    assert named_event("step.delta", b"{}") == b"event: step.delta\ndata: {}\n\n"


def test_nothing_on_the_way_may_hold_a_stream_back() -> None:
    head = stream_start(SSE.media_type)

    assert dict(head["headers"]) == {
        b"content-type": b"text/event-stream",
        b"content-encoding": b"identity",
        b"cache-control": b"no-store",
    }
