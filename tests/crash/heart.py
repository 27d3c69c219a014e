"""`twinlens` with a heart: run as `python heart.py serve …`, it answers GET /heart.

The heart beats on the event loop. The answer is the most CPU, in seconds, that the whole server process has
used between two beats since the last time it was asked: not the time that went by, so that a busy machine
does not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from twinlens import app, cli

_PAUSE_S = 0.005


class Heart:
    def __init__(self) -> None:
        self._longest = 0.0

    async def beat(self) -> None:
        before = time.process_time()
        while True:
            await asyncio.sleep(_PAUSE_S)
            now = time.process_time()
            self._longest = max(self._longest, now - before)
            before = now

    async def show(self, _: Request) -> JSONResponse:
        longest, self._longest = self._longest, 0.0
        return JSONResponse({"longest_s": longest})


def with_heart(starlette: app.App) -> app.App:
    heart, lifespan = Heart(), starlette.router.lifespan_context

    @asynccontextmanager
    async def beating(inner: Any) -> AsyncIterator[Any]:
        async with lifespan(inner) as state:
            task = asyncio.create_task(heart.beat())
            yield state
            task.cancel()

    starlette.router.lifespan_context = beating
    starlette.router.routes.append(Route("/heart", heart.show))
    return starlette


if __name__ == "__main__":
    create_app = app.create_app
    app.create_app = lambda *given, **named: with_heart(create_app(*given, **named))
    cli.main()
