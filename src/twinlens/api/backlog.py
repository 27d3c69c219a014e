"""The pieces of an answer between those who make them and those who send them, as chunks of a stream.

The last chunk of a candidate holds its last piece, the reason why it ended and the final usage together, as
clients expect. So the last piece that is known waits for what comes next, unless its engine says that more
will come. It does not wait for long: after `PATIENCE_S` it is sent but for its last letter, which goes with
what comes next. An engine that is fast, or that says all at once, has its pieces sent as they are; a slow one
keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from ..domain.answer import Answer, Candidate, fold, is_heard
from ..domain.engine import Text, Thought

PATIENCE_S = 0.05
MAX_WAITING = 256
"""Pieces for a reader that is slower than the engine; more of them are joined, and take the answer's room."""


class Backlog:
    """Takes pieces at any time, so that whoever makes them never waits for a reader; gives chunks of them."""

    def __init__(self) -> None:
        self._waiting: list[Answer] = []
        self._is_letter = False
        self._over = False
        self._failure: Exception | None = None
        self._news = asyncio.Event()

    def put(self, piece: Answer) -> None:
        """Add a piece."""
        if not _says_anything(piece):
            return
        if self._waiting and _is_open(self._waiting[-1]) and (self._is_letter or not _is_open(piece)):
            self._waiting[-1] = fold((self._waiting[-1], piece))
        else:
            self._waiting.append(_with_a_text(piece))
        self._is_letter = False
        if len(self._waiting) > MAX_WAITING:
            self._waiting = [_with_a_text(fold(self._waiting))]
        self._news.set()

    def end(self, failure: Exception | None = None) -> None:
        """Mark the end, with the error that caused it, if any."""
        self._over, self._failure = True, failure
        self._news.set()

    async def chunks(self) -> AsyncGenerator[Answer, None]:
        """Yield chunks to send until the end; raise the error after all earlier output."""
        while True:
            ready = self._ready()
            for chunk in ready:
                yield chunk
            if ready:
                continue
            if self._failure:
                raise self._failure
            if self._over:
                return
            await self._wait()

    def _ready(self) -> list[Answer]:
        """Take all but the last piece, which waits for what comes next unless it is known to be the last."""
        waits = bool(self._waiting) and _may_be_last(self._waiting[-1]) and not self._over
        count = len(self._waiting) - waits
        ready, self._waiting = self._waiting[:count], self._waiting[count:]
        return ready

    async def _wait(self) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(PATIENCE_S if self._waiting and not self._is_letter else None):
                await self._news.wait()
        except TimeoutError:
            self._waiting[-1:] = _parted(self._waiting[-1])
            self._is_letter = True


def _says_anything(piece: Answer) -> bool:
    return not _is_open(piece) or any(is_heard(said) for one in piece.candidates for said in one.parts)


def _is_open(piece: Answer) -> bool:
    """Whether more of its candidate will come."""
    return piece.blocked is None and bool(piece.candidates) and piece.candidates[-1].finish is None


def _may_be_last(piece: Answer) -> bool:
    """Whether nothing but the finish reason may follow."""
    parts = piece.candidates[-1].parts if piece.candidates else ()
    return _is_open(piece) and not (parts and isinstance(parts[-1], Text) and parts[-1].more)


def _with_a_text(piece: Answer) -> Answer:
    """Add an empty text to candidates without parts: clients read parts without checking."""
    candidates = tuple(one if one.parts else replace(one, parts=(Text(""),)) for one in piece.candidates)
    return replace(piece, candidates=candidates)


def _parted(piece: Answer) -> list[Answer]:
    """Cut the last letter off a piece. A function's call, and a letter alone, stay whole."""
    *before, candidate = piece.candidates
    *others, said = candidate.parts
    if not isinstance(said, Text | Thought) or len(said.text) < 2:
        return [piece]
    start, letter = replace(said, text=said.text[:-1]), replace(said, text=said.text[-1])
    return [
        replace(piece, candidates=(*before, replace(candidate, parts=(*others, start)))),
        replace(piece, candidates=(Candidate(candidate.index, (letter,)),)),
    ]
