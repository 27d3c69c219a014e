"""Until when a request may be worked on, and the end of that work when its client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request

from ..domain.errors import DeadlineExceeded

T = TypeVar("T")


def deadline_of(request: Request, longest_s: float) -> float:
    """Give the event loop's time at which a request is over."""
    return asyncio.get_running_loop().time() + seconds_of(request, longest_s)


def seconds_of(request: Request, longest_s: float) -> float:
    """Give the time there is for a request: the client's wish or the server's limit."""
    wish = request.headers.get("x-server-timeout", "")
    # Python reads an int of some thousand digits only; as a float, that is infinite.
    seconds = float(wish) if wish.isascii() and wish.isdigit() else 0.0
    return min(seconds or longest_s, longest_s)


@asynccontextmanager
async def until(deadline: float) -> AsyncIterator[None]:
    """Raise `DeadlineExceeded` where the work within takes longer."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            yield
    except TimeoutError as cause:
        if not limit.expired():
            raise
        raise DeadlineExceeded("Deadline expired before operation could complete.") from cause


async def timely(pieces: AsyncGenerator[T, None], deadline: float) -> AsyncGenerator[T, None]:
    """Pass pieces on until the deadline."""
    while True:
        async with until(deadline):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        yield piece


@asynccontextmanager
async def while_connected(request: Request) -> AsyncIterator[None]:
    """Cancel the work within when the client goes away. The body must have been read before."""
    worker = asyncio.current_task()
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        if worker is not None:
            worker.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        # Nobody is left to read an answer: swallow our own cancellation, pass on everyone else's.
        if not gone or worker is None or worker.uncancel() > 0:
            raise
    finally:
        watcher.cancel()
