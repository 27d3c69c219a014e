"""What this is, whether it is alive, and whether it can be of use now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from .. import __version__
from ..concurrency.single_flight import SingleFlight
from ..engines.router import Engines

PROBE_EVERY_S = 1.0
"""So often the data folder is looked at, at most: everybody may ask, and a look writes to the disk."""

PATIENCE_S = 5.0
"""A folder that says nothing for so long cannot be used, whatever it will say."""

Trouble = Callable[[], Coroutine[Any, Any, str | None]]


async def about(_: Request) -> Response:
    """Answer with one line about this server."""
    return PlainTextResponse(
        f"twinlens {__version__}: make this address the base URL of a Gemini client; "
        "docs: README.md and docs/ of twinlens.\n"
    )


async def alive(_: Request) -> Response:
    """Answer 200 while the server runs."""
    return PlainTextResponse("ok\n")


def ready(engines: Engines, trouble: Trouble) -> Callable[[Request], Awaitable[Response]]:
    """Answer 200 while requests can be answered and files can be kept, 503 otherwise.

    Of several engines one is enough, once none is loading any more: one that cannot be loaded is no reason
    to send nobody to the others. `trouble` says in a few words what is wrong with the data folder, or gives
    None.
    """
    look = _Seldom(trouble)

    async def handler(_: Request) -> Response:
        shown = _shown(engines)
        if why := _failed(engines):
            return PlainTextResponse(f"{why}\n{shown}", status_code=503)
        why = _loading(engines) or await look()
        if why:
            return PlainTextResponse(f"{why}\n{shown}", status_code=503, headers={"Retry-After": "1"})
        return PlainTextResponse(f"ready\n{shown}")

    return handler


def _shown(engines: Engines) -> str:
    """Describe each of several engines in a line."""
    rows = engines.statuses
    return "".join(f"{row}\n" for row in rows) if len(rows) > 1 else ""


def _failed(engines: Engines) -> str | None:
    """Return why nobody can answer, now and later; None while somebody may."""
    states = {row.state for row in engines.statuses}
    if states != {"failed"}:
        return None
    why = engines.failure
    return "no engine could be loaded" if why is None else f"the engine could not be loaded: {why}"


def _loading(engines: Engines) -> str | None:
    """Return what is still loading; None where nothing is."""
    rows = engines.statuses
    loading = [row.name for row in rows if row.state == "loading"]
    if not loading:
        return None
    return f"engines are loading: {', '.join(loading)}" if len(rows) > 1 else "the engine is loading"


class _Seldom:
    """Looks once for all who ask at the same time, and not again for a moment."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._looks: SingleFlight[None] = SingleFlight()
        self._found: str | None = None
        self._fresh_until = 0.0

    async def __call__(self) -> str | None:
        if asyncio.get_running_loop().time() < self._fresh_until:
            return self._found
        # A folder that hangs is looked at by one: whoever asks meanwhile, and gives up, leaves it to that.
        looking = self._looks.start("the data folder", self._look)
        done, _ = await asyncio.wait({looking}, timeout=PATIENCE_S)
        return self._found if done else "the data folder does not answer"

    async def _look(self) -> None:
        self._found = "the server is stopping"
        self._found = await self._trouble()
        self._fresh_until = asyncio.get_running_loop().time() + PROBE_EVERY_S
