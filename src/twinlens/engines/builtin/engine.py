"""The built-in engine: reads the question, has the pictures looked at, and answers from facts."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator

from ...domain.engine import Capabilities, EngineRequest, Event, Finished, Text, Thought
from ...domain.errors import TwinlensError
from ...domain.media import Image
from ..base import EngineOptions, EngineSetupError, count_characters
from . import replies
from .eyes import Eyes
from .facts import FactName, Facts
from .replies import Plan, Seen

_REMEMBERED = 64
_PIECE = re.compile(r"[^\n]*\n+|.+?(?:(?<=[.!?”])\s+|$)", re.DOTALL)
_SHORTEST_PIECE = 40


class BuiltinEngine:
    """Answers from facts read from the pixels, without any model to download.

    What was seen in a picture is remembered, so that asking again in a chat costs no second look.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._eyes = Eyes(options.processes)
        self._seen: OrderedDict[tuple[str, frozenset[FactName]], Facts] = OrderedDict()
        self._capabilities = Capabilities(
            name="builtin", model=options.model or "twinlens-builtin", geometry="area32", thinks=True
        )

    @property
    def capabilities(self) -> Capabilities:
        """It sees pictures in 1024 pixels a token, and shows what it weighed as its thoughts."""
        return self._capabilities

    async def start(self) -> None:
        """Start the processes that look at pictures, and have them load what they need."""
        try:
            await self._eyes.start()
        except TwinlensError as cause:
            raise EngineSetupError("The built-in engine could not start; the log says why.") from cause

    async def stop(self) -> None:
        """End the processes."""
        await self._eyes.stop()

    def count_text(self, text: str) -> int:
        """Count four characters as a token."""
        return count_characters(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Look at what the question is about, and answer piece by piece."""
        plan = replies.plan(request)
        seen = await self._look(plan)
        reply = await asyncio.to_thread(replies.reply, request, plan, seen)
        if request.thinking.include:
            yield Thought(reply.thoughts)
        for piece in _pieces(reply.text):
            yield Text(piece)
        yield Finished("STOP", reply.message)

    async def _look(self, plan: Plan) -> Seen:
        difference = await self._eyes.compare(*plan.images) if plan.compares else None
        facts = await asyncio.gather(*(self._facts(image, plan.wanted) for image in plan.images))
        return Seen(tuple(facts), difference)

    async def _facts(self, image: Image, wanted: frozenset[FactName]) -> Facts:
        """Look, or remember. Where nothing is wanted, the sizes are known without a look."""
        if not wanted:
            return Facts(image.source_width, image.source_height, image.width, image.height)
        key = (image.digest, wanted)
        if key not in self._seen:
            found = await self._eyes.look(image, wanted)
            self._seen[key] = found
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return found
        self._seen.move_to_end(key)
        return self._seen[key]


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
