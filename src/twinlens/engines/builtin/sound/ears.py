"""The process that listens, so that the server's own never waits for sound.

Sound goes there a piece at a time, with what is remembered of the pieces before: the process keeps nothing
of a recording, and neither side ever holds more than a minute of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....concurrency.lru import AsyncLRU
from ....domain.clip import Span
from ....domain.engine_media import Samples, Sound
from ....domain.errors import TwinlensError
from ....processes.fork_server import ForkServer
from ....processes.peer import Handler
from ....processes.workers import SharedWorkers
from ..facts import Hearing, SpeechSpan, Words
from . import transcript
from .hearing import Carried, Heard, Listener, conclude
from .transcript import Page

if TYPE_CHECKING:
    from .transcript import Transcriber

_MOST_REMEMBERED = 20_000
"""How many stretches and sentences are remembered."""

_NOTHING = np.empty(0, np.float32)

Key = tuple[str, float, float]


class Ears:
    """Listens in a process of its own, which the first sound starts; writes down with a speech model."""

    def __init__(self, server: ForkServer, speech_model: Path | None = None) -> None:
        """Raises `EngineSetupError` where there is no speech model in the folder, or nothing to run it."""
        if speech_model is not None:
            transcript.check(speech_model)
        self._model = speech_model
        first = () if speech_model is None else ("load", str(speech_model))
        self._workers = SharedWorkers(server, f"{__name__}:handlers", 1, "listens to sound", first)
        self._heard: AsyncLRU[Key, Hearing] = AsyncLRU(_MOST_REMEMBERED, _size)
        self._written: AsyncLRU[Key, tuple[Words, ...]] = AsyncLRU(
            _MOST_REMEMBERED, lambda words: len(words) + 1
        )

    async def start(self) -> None:
        """Load the speech model, where there is to be one. Raises `EngineSetupError` if it cannot be."""
        if self._model is None:
            return
        try:
            await self._workers.start()
        except TwinlensError as cause:
            raise transcript.unloadable(self._model) from cause

    async def stop(self) -> None:
        """End the process."""
        await self._workers.stop()

    async def speech(self, sound: Sound) -> tuple[SpeechSpan, ...]:
        """Find where somebody speaks."""
        return (await self.hearing(sound)).speech

    async def hearing(self, sound: Sound) -> Hearing:
        """Find where somebody speaks, where it is quiet, and how loud it is."""
        return await self._heard.get_or_compute(_key(sound), lambda: self._hear(sound))

    async def words(self, sound: Sound) -> tuple[Words, ...] | None:
        """Write down what is said; None where there is no speech model."""
        if self._model is None:
            return None
        return await self._written.get_or_compute(_key(sound), lambda: self._write_down(sound))

    async def _hear(self, sound: Sound) -> Hearing:
        """Listen to all of it; what makes no whole chunk at the end is left out."""
        scores, powers, carried = [_NOTHING], [_NOTHING], Carried.nothing()
        async with aclosing(sound.samples()) as pieces:
            async for piece in pieces:
                heard: Heard = await self._workers.call("hear", piece, carried)
                scores.append(heard.scores)
                powers.append(heard.powers)
                carried = heard.carried
        span = Span(sound.start, sound.start + sound.duration)
        return conclude(np.concatenate(scores), np.concatenate(powers), span)

    async def _write_down(self, sound: Sound) -> tuple[Words, ...]:
        words: list[Words] = []
        language: str | None = None
        for window in transcript.windows(await self.speech(sound)):
            async with aclosing(sound.read(window.start, window.end)) as pieces:
                samples = np.concatenate([piece async for piece in pieces])
            page: Page = await self._workers.call("write_down", samples, window.start, language)
            words += page.words
            language = page.language
        return tuple(words)


def _key(sound: Sound) -> Key:
    return sound.digest, sound.start, sound.duration


def _size(hearing: Hearing) -> int:
    return len(hearing.speech) + len(hearing.quiet) + 1


# What follows runs in the process that listens.


def handlers() -> Mapping[str, Handler]:
    """Give what the process that listens offers."""
    child = _Child()
    return {"load": child.load, "hear": child.hear, "write_down": child.write_down}


class _Child:
    """Holds what has been loaded."""

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._transcriber: Transcriber | None = None

    def load(self, folder: str) -> None:
        self._transcriber = transcript.Transcriber(Path(folder))

    def hear(self, piece: Samples, carried: Carried) -> Heard:
        self._listener = self._listener or Listener()
        return self._listener.hear(piece, carried)

    def write_down(self, samples: Samples, start: float, language: str | None) -> Page:
        assert self._transcriber is not None
        return self._transcriber.write_down(samples, start, language)
