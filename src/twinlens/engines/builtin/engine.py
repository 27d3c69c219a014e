"""The built-in engine, seen from the server: processes that answer, look and listen, and what links them.

Nothing of a caller's text or pixels is worked on in the server's own process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from ...concurrency.lru import AsyncLRU
from ...domain.engine import Capabilities, EngineRequest, Event, Medium
from ...domain.engine_media import StillImage
from ...domain.errors import TwinlensError
from ...domain.geometry import area32
from ...domain.media import Image
from ...processes.fork_server import ForkServer
from ...processes.leases import LeasedWorkers, streamed
from ..base import EngineSetupError, count_characters
from ..options import option
from .asked import Picture
from .eyes import Eyes
from .facts import Difference, FactName, Facts
from .remote import Host, portable
from .sound.ears import Ears

_MOST_REMEMBERED = 200_000
"""How many lines and words are remembered: some 60 MB. A frame of a video has a few, a page hundreds."""

_ANSWERING = f"{__package__}.answering"
_MOST_IDLE = 4
"""Processes that answer take some 20 MB each; more are forked in milliseconds where all are busy."""


@dataclass(frozen=True, slots=True)
class Pids:
    """The numbers of processes by what they do: of those that answer, the ones that are idle."""

    answering: tuple[int, ...]
    looking: tuple[int, ...]


class BuiltinEngine:
    """Answers from facts read from the media, without any model to download.

    What was seen in a picture is remembered, so that asking again in a chat costs no second look.
    """

    @dataclass(frozen=True, slots=True)
    class Options:
        """What the operator may set."""

        model: str = option("twinlens-builtin", "Name under which it is listed and served.")
        processes: int = option(1, "Processes that look at images.", unit="processes", least=1)
        speech_model: Path | None = option(
            None, "Folder of a Whisper model (CTranslate2) that transcribes speech; without one, none is."
        )

    def __init__(self, options: Options) -> None:
        self._forks = ForkServer(_ANSWERING)
        self._answering = LeasedWorkers(self._forks, f"{_ANSWERING}:handlers", _MOST_IDLE)
        self._at_once = options.processes + 1
        self._sight = RememberedFacts(Eyes(self._forks, options.processes))
        self._ears = Ears(self._forks, options.speech_model)
        self._capabilities = Capabilities(name="builtin", model=options.model, geometry=area32, thinks=True)

    @property
    def capabilities(self) -> Capabilities:
        """It sees pictures in 1024 pixels a token, and shows what it weighed as its thoughts."""
        return self._capabilities

    @property
    def pids(self) -> Pids:
        """The numbers of the processes that run now."""
        return Pids(self._answering.pids, self._sight.eyes.pids)

    async def settled(self) -> None:
        """Wait until all work that was given up has ended."""
        await self._answering.settled()

    async def start(self) -> None:
        """Start the processes that answer and look, and have them load what they need.

        The one that listens is started by the first sound, unless it has a speech model to load: who sends
        pictures alone does not pay for it.
        """
        try:
            await asyncio.gather(self._answering.start(), self._sight.eyes.start(), self._ears.start())
        except TwinlensError as cause:
            raise EngineSetupError("The built-in engine could not start; the log says why.") from cause

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(self._answering.stop(), self._sight.eyes.stop(), self._ears.stop())
        await self._forks.stop()

    def count_text(self, text: str) -> int:
        """Count four characters as a token."""
        return count_characters(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Have a process answer, which looks at and listens to what the question is about."""
        # Large results take long to write: in a thread.
        if not all(isinstance(part, str | Medium) for turn in request.turns for part in turn.parts):
            request = await asyncio.to_thread(request.as_text)
        host = Host(request, self._sight, self._ears, self._at_once)
        events = streamed(self._answering, _key(request), host.handlers, "answer", portable(request))
        async with aclosing(events):
            async for event in events:
                yield event


def _key(request: EngineRequest) -> str:
    """Name what a request is about: the process that read it before may remember it."""
    return next((medium.digest for medium in reversed(request.media)), "")


class RememberedFacts:
    """Remembers what was seen, and who looks."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self._seen: AsyncLRU[tuple[str, frozenset[FactName]], Facts] = AsyncLRU(_MOST_REMEMBERED, _weight)

    async def look(self, image: Picture, wanted: frozenset[FactName]) -> Facts:
        async def find_out() -> Facts:
            return await self.eyes.look(await _loaded(image), wanted)

        return await self._seen.get_or_compute((image.digest, wanted), find_out)

    async def look_in_turn(self, image: Picture, wanted: frozenset[FactName]) -> Facts:
        async def find_out() -> Facts:
            return await self.eyes.look_in_turn(await _loaded(image), wanted)

        return await self._seen.get_or_compute((image.digest, wanted), find_out)

    async def compare(self, first: Picture, second: Picture) -> Difference:
        return await self.eyes.compare(await _loaded(first), await _loaded(second))


async def _loaded(image: Picture) -> Image:
    return await image.load() if isinstance(image, StillImage) else image


def _weight(facts: Facts) -> int:
    """Weigh what is remembered of a picture by its lines and words."""
    return 8 + sum(1 + len(line.words) for line in facts.lines or ())
