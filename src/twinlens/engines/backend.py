"""One engine of the server: which model names it answers, whether it has loaded, and who waits for it.

loading ──► ready     `start` of the engine has returned
   └──────► failed    it raised: requests get 503, the log has the reason
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from ..concurrency.admission import AdmissionQueue
from ..domain.errors import Unavailable
from ..domain.generations import LineName
from .base import Engine

State = Literal["loading", "ready", "failed"]

ANY = "*"
"""The pattern that fits every model name."""

DEFAULT_QUEUE = 16
"""Who waits for an engine holds one of the server's turns: half of its default of 32 is left to others."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One engine as the operator describes it.

    `answers` are patterns of model names, in which `*` stands for any text and `?` for one character;
    `generation` is whose rules its own model name follows. At most `concurrency` requests are in its
    `generate` at a time, and `queue` more wait for that; without `concurrency` there is no such limit.
    """

    name: str
    kind: str
    engine: Engine
    answers: tuple[str, ...] = (ANY,)
    generation: LineName = "gemini-3"
    concurrency: int | None = None
    queue: int = DEFAULT_QUEUE

    def fits(self, model: str) -> bool:
        """Whether a pattern fits a model name."""
        return any(fnmatchcase(model, pattern) for pattern in self.answers)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What is shown of an engine to whoever runs the server."""

    name: str
    kind: str
    model: str
    answers: tuple[str, ...]
    state: State

    def __str__(self) -> str:
        kind = self.model if self.kind == self.name else f"{self.kind}, {self.model}"
        return f"{self.name} ({kind}) answers {' '.join(self.answers)}: {self.state}"


class Backend:
    """An engine with its state and its queue. A project that is `alone` may have all of its turns."""

    def __init__(self, config: EngineConfig, *, alone: bool = False) -> None:
        self.config = config
        self._queue = (
            AdmissionQueue(config.concurrency, config.queue, alone=alone) if config.concurrency else None
        )
        self._starting: asyncio.Task[None] | None = None

    @property
    def engine(self) -> Engine:
        """Who answers."""
        return self.config.engine

    @property
    def state(self) -> State:
        """Whether it has loaded; one that was not started, or was stopped before it had, is loading."""
        task = self._starting
        if task is None or not task.done() or task.cancelled():
            return "loading"
        return "failed" if task.exception() else "ready"

    @property
    def failure(self) -> str | None:
        """Why it could not be loaded, in a sentence for the operator; None while that has not happened."""
        return str(self._starting.exception()) if self._starting and self.state == "failed" else None

    @property
    def status(self) -> EngineStatus:
        """What it is, what it answers, and its state."""
        config, model = self.config, self.engine.capabilities.model
        answers = config.answers if config.fits(model) else (*config.answers, model)
        return EngineStatus(config.name, config.kind, model, answers, self.state)

    def start(self, on_change: Callable[[EngineStatus], None]) -> None:
        """Begin to load in the background; `on_change` is called when it has loaded or failed to."""

        def report(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                if task.exception():
                    name = self.config.name
                    log.error("the engine %s could not be loaded", name, exc_info=task.exception())
                on_change(self.status)

        self._starting = asyncio.create_task(
            self.engine.start(), name=f"start of the engine {self.config.name}"
        )
        self._starting.add_done_callback(report)

    async def stop(self) -> None:
        """Stop the engine, even where it is still loading."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self.engine.stop()

    async def loaded(self) -> None:
        """Wait until the engine has loaded; raise `Unavailable` where it could not be."""
        if self._starting is not None and self.state == "loading":
            await asyncio.wait([self._starting])
        if self.state != "ready":
            raise Unavailable("The engine for this model could not be loaded. The server's log says why.")

    @asynccontextmanager
    async def turn(self, project: str, *, patient: bool = False) -> AsyncIterator[None]:
        """Hold a slot of the engine for one request; wait for it, and until the engine has loaded.

        Raises `Unavailable` where it could not be loaded, and `ResourceExhausted` where enough requests wait,
        of all projects or of this one. Who is `patient` waits for that instead.
        """
        if self.state == "failed" or self._queue is None:
            await self.loaded()
            yield
            return
        if patient:
            await self.loaded()
            async with self._queue.patient_slot(project):
                yield
            return
        with self._queue.place(project) as place:
            await self.loaded()
            async with place.turn():
                yield
