"""The built-in engine: reads the question, has media looked at and listened to, and answers from facts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any

from ...domain.engine import Capabilities, EngineRequest, Event, Finished, Text, Thought
from ...domain.errors import TwinlensError
from ...domain.media import Image
from ..base import EngineOptions, EngineSetupError, count_characters
from . import replies, senses
from .documents.reading import Shelf
from .evidence import Evidence
from .eyes import Eyes
from .facts import FactName, Facts
from .memory import Memory
from .replies import Plan
from .senses import Senses
from .sound.ears import Ears
from .video import films

_MOST_REMEMBERED = 200_000
"""How many lines and words are remembered: some 60 MB. A frame of a video has a few, a page hundreds."""
_PIECE = re.compile(r"[^\n]*\n+|.+?(?:(?<=[.!?”])\s+|$)", re.DOTALL)
_SHORTEST_PIECE = 40

Search = Callable[[Image, frozenset[FactName]], Coroutine[Any, Any, Facts]]
"""Looks for facts in a picture."""


class BuiltinEngine:
    """Answers from facts read from the media, without any model to download.

    What was seen in a picture or a video is remembered, so that asking again in a chat costs no second look.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._eyes = Eyes(options.processes)
        self._seen: Memory[tuple[str, frozenset[FactName]], Facts] = Memory(_MOST_REMEMBERED, _weight)
        ears = Ears(options.speech_model)
        self._senses = Senses(
            self._look, self._look_in_turn, self._eyes.compare, ears, films.reels(), Shelf()
        )
        self._capabilities = Capabilities(
            name="builtin", model=options.model or "twinlens-builtin", geometry="area32", thinks=True
        )

    @property
    def capabilities(self) -> Capabilities:
        """It sees pictures in 1024 pixels a token, and shows what it weighed as its thoughts."""
        return self._capabilities

    async def start(self) -> None:
        """Start the processes that look at pictures, and have them load what they need.

        The one that listens is started by the first sound, unless it has a speech model to load: who sends
        pictures alone does not pay for it.
        """
        try:
            await asyncio.gather(self._eyes.start(), self._senses.ears.start())
        except TwinlensError as cause:
            raise EngineSetupError("The built-in engine could not start; the log says why.") from cause

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(self._eyes.stop(), self._senses.ears.stop())

    def count_text(self, text: str) -> int:
        """Count four characters as a token."""
        return count_characters(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Look at and listen to what the question is about, and answer piece by piece."""
        plan = replies.plan(request)
        evidence = await self._weigh(request, plan)
        reply = await asyncio.to_thread(replies.reply, request, evidence)
        if request.thinking.include:
            yield Thought(reply.thoughts)
        for piece in _pieces(reply.text):
            yield Text(piece)
        yield Finished("STOP", reply.message)

    async def _weigh(self, request: EngineRequest, plan: Plan) -> Evidence:
        if not plan.media:
            return replies.without_media(request, plan.asked)
        return await senses.weigh(plan.media, plan.asked, self._senses)

    async def _look(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        return await self._seen_or(self._eyes.look, image, wanted)

    async def _look_in_turn(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        return await self._seen_or(self._eyes.look_in_turn, image, wanted)

    async def _seen_or(self, look: Search, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Remember, or look. Where nothing is wanted, the sizes are known without a look."""
        if not wanted:
            return Facts(image.source_width, image.source_height, image.width, image.height)
        return await self._seen.recall((image.digest, wanted), lambda: look(image, wanted))


def _weight(facts: Facts) -> int:
    """Weigh what is remembered of a picture by its lines and words."""
    return 8 + sum(1 + len(line.words) for line in facts.lines or ())


def _pieces(text: str) -> Iterator[str]:
    """Cut an answer into lines and sentences; together they are the text again."""
    piece = ""
    for found in _PIECE.finditer(text):
        piece += found[0]
        if len(piece) >= _SHORTEST_PIECE:
            yield piece
            piece = ""
    if piece:
        yield piece
