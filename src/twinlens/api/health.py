"""Is the server alive, and is its engine ready?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..engines.pool import Engines


async def alive(_: Request) -> Response:
    """Answer 200 while the server runs."""
    return PlainTextResponse("ok\n")


def ready(engines: Engines) -> Callable[[Request], Awaitable[Response]]:
    """Answer 200 once the engine has loaded, 503 before."""

    async def handler(_: Request) -> Response:
        if engines.ready:
            return PlainTextResponse("ready\n")
        if engines.failure:
            return PlainTextResponse(f"the engine could not be loaded: {engines.failure}\n", status_code=503)
        return PlainTextResponse("the engine is loading\n", status_code=503, headers={"Retry-After": "1"})

    return handler
