"""Which engine answers for which model name, and under which generation's rules.

An engine's own model name leads to it. Any other name leads to the first engine with a pattern that fits, and
is served if it is of a known family (`domain/generations.py`) or stands among the patterns as it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..domain.errors import UnknownModel
from ..domain.generations import LINES, Generation, family_of, generation_of
from .backend import Backend, EngineConfig, EngineStatus
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
    """A model name a caller may use: its generation, and who answers for it."""

    name: str
    generation: Generation
    backend: Backend

    @property
    def engine(self) -> Engine:
        """The engine behind it."""
        return self.backend.engine


class Engines:
    """The engines of this server, in the order in which their patterns are tried.

    A `strict` server serves the listed names only. Where all callers are one project, it is `alone`.
    """

    def __init__(self, configs: Sequence[EngineConfig], *, strict: bool = False, alone: bool = False) -> None:
        self._backends = tuple(Backend(config, alone=alone) for config in configs)
        self._strict = strict
        self._own: dict[str, Backend] = {}
        for backend in self._backends:
            self._own.setdefault(backend.engine.capabilities.model, backend)
        # Patterns without wildcards are names that the operator serves, whatever their family.
        self._named = {
            name: LINES[config.generation]
            for config in reversed(configs)
            for name in config.answers
            if is_name(name)
        }
        self._listed = dict.fromkeys((*CATALOGUE, *self._named, *self._own))
        self._told: set[str] = set()
        self.on_change: Callable[[EngineStatus], None] = lambda _: None
        """Called when an engine has loaded, or could not be."""

    @classmethod
    def single(cls, engine: Engine, *, strict: bool = False) -> Engines:
        """Serve every name with one engine."""
        name = engine.capabilities.name
        return cls((EngineConfig(name, name, engine),), strict=strict)

    def start(self) -> None:
        """Begin to load all engines in the background; requests wait for theirs."""
        for backend in self._backends:
            backend.start(lambda status: self.on_change(status))

    async def stop(self) -> None:
        """Stop all engines. One that cannot be stopped does not keep the others from it."""
        stopping = (backend.stop() for backend in self._backends)
        for backend, failure in zip(
            self._backends, await asyncio.gather(*stopping, return_exceptions=True), strict=True
        ):
            if isinstance(failure, Exception):
                log.error("the engine %s could not be stopped", backend.config.name, exc_info=failure)

    @property
    def statuses(self) -> tuple[EngineStatus, ...]:
        """What each engine is and whether it has loaded, in the order of their patterns."""
        return tuple(backend.status for backend in self._backends)

    @property
    def ready(self) -> bool:
        """Whether no engine is loading any more, and at least one can answer."""
        states = {backend.state for backend in self._backends}
        return "ready" in states and "loading" not in states

    @property
    def failure(self) -> str | None:
        """Why the only engine could not be loaded; None where there are several, or it has not failed."""
        return self._backends[0].failure if len(self._backends) == 1 else None

    @property
    def models(self) -> tuple[Served, ...]:
        """The models that are listed: the known names that an engine answers, and the engines' own."""
        return tuple(filter(None, map(self._find, self._listed)))

    def get(self, model: str) -> Served:
        """Look up a model by the name a caller gives, with or without `models/` before it."""
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
        if own := self._own.get(name):
            return Served(name, LINES[own.config.generation], own)
        if len(name) > MAX_NAME:
            return None
        generation = generation_of(name) or self._named.get(name)
        backend = next((each for each in self._backends if each.config.fits(name)), None)
        return Served(name, generation, backend) if generation and backend else None


def is_name(pattern: str) -> bool:
    """Whether a pattern fits one model name only: itself."""
    return not any(mark in pattern for mark in "*?[")


def _unknown(name: str) -> UnknownModel:
    if len(name) > MAX_NAME:
        return UnknownModel(f"{name[:MAX_NAME]}...")
    family = family_of(name)
    if family is None:
        return UnknownModel(name)
    if family.line:
        return UnknownModel(name, "No engine of this server answers it.")
    return UnknownModel(name, f"{family.service} is not offered by twinlens.", paints=family.makes_images)
