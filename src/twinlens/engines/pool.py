"""Which engine answers for which model name, and under which line's rules."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from ..domain.errors import NotFound, Unavailable
from ..domain.lines import LINES, Line, line_of
from .base import Engine

log = logging.getLogger(__name__)

CATALOGUE = (
    "gemini-3-pro-preview",
    "gemini-3-flash-preview",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.0-flash",
    "gemini-2.0-flash-lite",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
)
"""The names that are listed. Every other well-formed `gemini-*` name is served as well."""

MAX_NAME = 200
"""Characters: a longer name is no model's, and errors show so much of it."""


@dataclass(frozen=True, slots=True)
class Served:
    """A model name a caller may use: its line, and the engine behind it."""

    name: str
    line: Line
    engine: Engine


class Engines:
    """The engines of this server. Today there is one, and every name leads to it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._starting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin loading in the background; requests wait for it, `ready` tells when it is done."""
        self._starting = asyncio.create_task(self._engine.start(), name="engine start")
        self._starting.add_done_callback(_report)

    async def stop(self) -> None:
        """Stop the engine, even where it is still loading."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self._engine.stop()

    @property
    def ready(self) -> bool:
        """Whether the engine has loaded and can answer."""
        task = self._starting
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    @property
    def failure(self) -> str | None:
        """Why the engine could not be loaded, in a sentence; None while that has not happened."""
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception() is None:
            return None
        return str(task.exception())

    async def loaded(self) -> None:
        """Wait until the engine has loaded; raise `Unavailable` where it could not be."""
        if self._starting is not None and not self.ready:
            await asyncio.wait([self._starting])
            if not self.ready:
                raise Unavailable("The engine could not be loaded. The server's log says why.")

    @property
    def models(self) -> tuple[Served, ...]:
        """The models that are listed: the known Gemini names and the engine's own."""
        return tuple(filter(None, map(self._find, (*CATALOGUE, self._engine.capabilities.model))))

    def get(self, model: str) -> Served:
        """Find a model by the name a caller gives, with or without `models/` before it."""
        served = self._find(model.removeprefix("models/"))
        if served is None:
            shown = model if len(model) <= MAX_NAME else f"{model[:MAX_NAME]}..."
            raise NotFound(f"Model not found: models/{shown}")
        return served

    def _find(self, name: str) -> Served | None:
        if name == self._engine.capabilities.model:
            return Served(name, LINES["gemini-3"], self._engine)
        line = line_of(name) if len(name) <= MAX_NAME else None
        return Served(name, line, self._engine) if line else None


def _report(start: asyncio.Task[None]) -> None:
    if not start.cancelled() and start.exception() is not None:
        log.error("the engine could not be loaded", exc_info=start.exception())
