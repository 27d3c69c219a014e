"""The URLs of one request, fetched from a real server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.fetch.downloads import Downloads
from twinlens.fetch.fetcher import Fetcher
from twinlens.fetch.youtube import YouTube
from websites import Server, http, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        server.answers = {f"/{name}": http(b"x" * 400, content_type="text/plain") for name in "abc"}
        yield server


@pytest.fixture
async def downloads(server: Server) -> AsyncIterator[Downloads]:
    limits = {"enabled": True, "allow": (server.host,), "max_bytes": 1000, "timeout_s": 10.0}
    fetcher, youtube = Fetcher(**limits), YouTube(**limits)  # type: ignore[arg-type]
    yield Downloads(fetcher, youtube, 1000)
    await fetcher.close()
    await youtube.close()


async def test_an_address_that_is_named_twice_is_fetched_once(downloads: Downloads, server: Server) -> None:
    first, second = await asyncio.gather(
        downloads.fetch(server.url("/a"), "parts[0]", None),
        downloads.fetch(server.url("/a"), "parts[1]", None),
    )

    assert bytes(first.data) == bytes(second.data) == b"x" * 400
    assert len(server.seen) == 1


async def test_all_together_may_hold_only_so_much(downloads: Downloads, server: Server) -> None:
    for path in ("/a", "/b"):
        await downloads.fetch(server.url(path), "parts[0]", None)

    with pytest.raises(InvalidArgument, match="It is larger than 200 bytes") as refused:
        await downloads.fetch(server.url("/c"), "parts[2]", None)

    assert refused.value.violations[0].field == "parts[2]"


async def test_what_comes_at_once_is_counted_together(downloads: Downloads, server: Server) -> None:
    results = await asyncio.gather(
        *(downloads.fetch(server.url(f"/{name}"), "parts[0]", None) for name in "abc"), return_exceptions=True
    )

    failed = [result for result in results if isinstance(result, InvalidArgument)]
    assert [error.message for error in failed] == [
        "Cannot fetch content from the provided URL. All URLs together hold more than 1000 bytes."
    ]
