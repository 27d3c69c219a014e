"""The script engine: the first rule that fits a request gives the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from ...domain.engine import Capabilities, EngineRequest, Event, Text, Thought
from ...domain.errors import FailedPrecondition
from ...domain.geometry import area32
from ..base import count_characters
from ..options import option
from .answers_file import read
from .rules import Chunk, PromptFeatures, Reply, Script, ScriptedError

OK = Script(name="the built-in script", default=Reply(chunks=(Chunk("ok"),)))
"""What is answered where no file is given, so that the engine works by itself."""


class ScriptEngine:
    """Answers from a file, and from nothing else: the same requests in the same order, the same answers.

    The file is read when the engine is built; a mistake in it is an `EngineSetupError`.
    """

    @dataclass(frozen=True, slots=True)
    class Options:
        """What the operator may set."""

        model: str = option("twinlens-script", "Name under which it is listed and served.")
        script: Path | None = option(None, "Answers file (YAML); without one, every answer is ok.")

    def __init__(self, options: Options) -> None:
        self._script = read(options.script) if options.script else OK
        self._left = [rule.times for rule in self._script.rules]
        self._capabilities = Capabilities(
            name="script",
            model=options.model,
            geometry=area32,
            thinks=True,
            calls=True,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Pictures are decoded to the same size as for the built-in engine."""
        return self._capabilities

    async def start(self) -> None:
        """Do nothing: all has been read."""

    async def stop(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def count_text(self, text: str) -> int:
        """Count four characters as a token."""
        return count_characters(text)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Send the reply of the first rule that fits, with its pauses."""
        asked = PromptFeatures.of(request)
        reply = self._pick(asked)
        await _pause(reply.delay_s)
        for thought in reply.thoughts:
            yield Thought(thought)
        for left, chunk in zip(range(len(reply.chunks) - 1, -1, -1), reply.chunks, strict=True):
            await _pause(chunk.delay_s)
            yield Text(chunk.filled(asked), more=bool(left or reply.calls))
        for call in reply.calls:
            yield call
        if isinstance(reply.end, ScriptedError):
            raise reply.end.error()
        yield reply.end

    def _pick(self, asked: PromptFeatures) -> Reply:
        for index, rule in enumerate(self._script.rules):
            left = self._left[index]
            if left == 0 or not rule.fits(asked):
                continue
            if left is not None:
                self._left[index] = left - 1
            return rule.reply
        if self._script.default is None:
            raise FailedPrecondition(
                f"No rule of {self._script.name} fits this request ({asked}). Add a rule or a default."
            )
        return self._script.default


async def _pause(delay_s: float) -> None:
    if delay_s:
        await asyncio.sleep(delay_s)
