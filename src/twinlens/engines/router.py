"""Which engine answers for which model name, and under which generation's rules."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from ..domain.errors import Unavailable, UnknownModel
from ..domain.generations import LINES, Generation, family_of, generation_of
from .base import Engine

log = logging.getLogger(__name__)

CATALOGUE = (
    "gemini-4-argon",
    "gemini-4-carbon",
    "gemini-4-hydrogen",
    "gemini-4-neon",
    "gemini-3.8-flash",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-3.1-pro-preview-customtools",
    "gemini-3.1-flash-lite",
    "gemini-3-pro-preview",
    "gemini-3-flash-preview",
    "gemini-pro-latest",
    "gemini-flash-latest",
    "gemini-flash-lite-latest",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-computer-use-preview-10-2025",
    "gemini-2.0-flash",
    "gemini-2.0-flash-001",
    "gemini-2.0-flash-exp",
    "gemini-2.0-flash-lite",
    "gemini-2.0-flash-lite-001",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
    "gemini-1.5-flash-8b",
    "gemini-robotics-er-2-preview",
    "gemini-robotics-er-1.6-preview",
    "gemini-omni-1.2-flash",
    "gemini-omni-1.1-flash",
    "gemini-omni-flash-preview",
    "gemma-4-31b-it",
    "gemma-4-26b-a4b-it",
    "gemma-3-27b-it",
    "gemma-3-12b-it",
    "gemma-3-4b-it",
)
"""The names that are listed. Others of a known family (`domain/generations.py`) are served as well."""

MAX_NAME = 200
"""Characters: a longer name is no model's, and errors show so much of it."""

MAX_TOLD = 1000
"""How many unlisted names are logged: callers can think of more than a log should hold."""


@dataclass(frozen=True, slots=True)
class Served:
    """A model name a caller may use: its generation, and the engine behind it."""

    name: str
    generation: Generation
    engine: Engine


class Engines:
    """The engines of this server. Today there is one, and every name leads to it.

    A `strict` server serves the listed names only.
    """

    def __init__(self, engine: Engine, *, strict: bool = False) -> None:
        self._engine = engine
        self._strict = strict
        self._listed = frozenset((*CATALOGUE, engine.capabilities.model))
        self._told: set[str] = set()
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
        name = model.removeprefix("models/")
        served = self._find(name)
        if served is None:
            raise _unknown(name)
        if name not in self._listed:
            if self._strict:
                raise UnknownModel(name, "It is not listed, and this server runs with --strict-models.")
            self._tell(served)
        return served

    def _tell(self, served: Served) -> None:
        """Log an unlisted name the first time: it may be a slip of the pen."""
        if served.name in self._told or len(self._told) >= MAX_TOLD:
            return
        self._told.add(served.name)
        log.warning(
            "%s is not among the listed models; it is answered under the rules of %s. "
            "With --strict-models it would be refused.",
            served.name,
            served.generation.name,
        )

    def _find(self, name: str) -> Served | None:
        if name == self._engine.capabilities.model:
            return Served(name, LINES["gemini-3"], self._engine)
        generation = generation_of(name) if len(name) <= MAX_NAME else None
        return Served(name, generation, self._engine) if generation else None


def _unknown(name: str) -> UnknownModel:
    if len(name) > MAX_NAME:
        return UnknownModel(f"{name[:MAX_NAME]}...")
    family = family_of(name)
    if family is None:
        return UnknownModel(name)
    return UnknownModel(name, f"{family.service} is not offered by twinlens.", paints=family.makes_images)


def _report(start: asyncio.Task[None]) -> None:
    if not start.cancelled() and start.exception() is not None:
        log.error("the engine could not be loaded", exc_info=start.exception())
