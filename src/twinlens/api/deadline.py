"""Until when a request may be worked on, and the end of that work when its client goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request

LAST_WORD_S = 1.0
"""For telling why a stream ends, when its time is over."""

HANG_UP = "hang_up"
"""Where the scope's state has what ends the connection, with servers that tell."""

log = logging.getLogger(__name__)


def deadline_of(request: Request, longest_s: float) -> float:
    """Return the event loop's time at which a request is over."""
    return asyncio.get_running_loop().time() + seconds_of(request, longest_s)


def seconds_of(request: Request, longest_s: float) -> float:
    """Return the seconds that a request may take: the client's wish or the server's limit."""
    wish = request.headers.get("x-server-timeout", "")
    # Python reads an int of some thousand digits only; as a float, that is infinite.
    seconds = float(wish) if wish.isascii() and wish.isdigit() else 0.0
    return min(seconds or longest_s, longest_s)


@asynccontextmanager
async def in_time(request: Request, deadline: float) -> AsyncIterator[None]:
    """Send a response; where it is not taken until the deadline, hang up."""
    limit = asyncio.timeout_at(deadline)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        log.info("%s %s was not read in time", request.method, request.url.path)
        await hang_up(request)


async def hang_up(request: Request) -> None:
    """End the connection in the midst of a response, so that nobody takes it for whole."""
    end = request.scope.get("state", {}).get(HANG_UP)
    if end is not None:
        end()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                # Until the server knows of it, a response that is not whole is a fault of ours.
                while (await request.receive())["type"] != "http.disconnect":
                    pass


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
