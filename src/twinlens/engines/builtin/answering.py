"""What runs in the processes that answer: understand the question, weigh what is found, word the reply.

Each works for one request at a time, and may take as long as a caller's text makes it: the server ends it
when that caller leaves.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ...domain.engine import EngineRequest, Event, Finished, Text, Thought
from ...domain.errors import InvalidArgument
from ...processes.environment import limit_memory
from ...processes.peer import Handler
from . import remote, replies, senses
from .documents.reading import Shelf
from .evidence import Evidence
from .replies import Plan
from .senses import Senses
from .video import films

MEMORY_BYTES = 2 << 30
"""What one answer may take, beside the code."""

CPU_S = 60
"""Seconds of CPU that one answer may take, beside what is looked at and listened to."""

_END_OF_PIECE = re.compile(r"\n+|(?<=[.!?”])\s+")
_SHORTEST_PIECE = 40


def handlers() -> Mapping[str, Handler]:
    """Give what a process that answers offers."""
    limit_memory(MEMORY_BYTES)
    return {"answer": Answerer().answer}


class Answerer:
    """Answers one request after another; what was seen of videos and read of documents is remembered."""

    def __init__(self) -> None:
        self._senses = Senses(
            remote.look,
            remote.look_in_turn,
            remote.compare,
            remote.RemoteEars(),
            films.reels(),
            Shelf(),
        )

    async def answer(self, request: EngineRequest) -> AsyncGenerator[Event, None]:
        """Have media looked at and listened to as far as the question needs, and answer piece by piece."""
        # Nothing runs beside the answer: when it is given up, nothing may go on.
        asyncio.get_running_loop().set_default_executor(_Inline())
        try:
            with _cpu_limited():
                plan = replies.plan(request)
                reply = replies.reply(request, await self._weigh(request, plan))
        except MemoryError as cause:
            raise InvalidArgument(
                "Answering this takes too much memory. Send less of it at a time."
            ) from cause
        except _TooMuchWork as cause:
            raise InvalidArgument(
                f"Answering this takes the built-in engine more than {CPU_S} s of computing. "
                "Ask about less of it at a time."
            ) from cause
        if request.thinking.include:
            yield Thought(reply.thoughts)
        for piece in pieces(reply.text):
            yield Text(piece)
        yield Finished("STOP", reply.message)

    async def _weigh(self, request: EngineRequest, plan: Plan) -> Evidence:
        if not plan.media:
            return replies.without_media(request, plan.asked)
        return await senses.weigh(plan.media, plan.asked, self._senses)


class _TooMuchWork(BaseException):
    """The answer has had its CPU time; no `except Exception` on the way may take it for something else."""


@contextmanager
def _cpu_limited() -> Iterator[None]:
    """Raise `_TooMuchWork` where what is done within takes this process more than `CPU_S` of CPU."""

    def stop(*_: object) -> None:
        raise _TooMuchWork

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def pieces(text: str) -> Iterator[str]:
    """Cut an answer after lines and sentences; together the pieces are the text again."""
    start = 0
    for found in _END_OF_PIECE.finditer(text):
        if found.end() - start >= _SHORTEST_PIECE:
            yield text[start : found.end()]
            start = found.end()
    if start < len(text):
        yield text[start:]


class _Inline(ThreadPoolExecutor):
    """Does what it is given at once, on the thread that gives it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function, and give what has come of it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
