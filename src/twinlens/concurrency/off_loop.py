"""A thread pool for work in proportion to a request's size: parsing, hashing, counting, planning.

The process's default pool may be full of threads that wait for a disk or a decoder; work here takes seconds
at most, so these threads are soon free. Work that a caller can make longer than in proportion to what was
sent belongs in a process that can be killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ..domain.media import Json
from ..domain.request import (
    CodeExecutionResult,
    ExecutableCode,
    FunctionCall,
    FunctionResult,
    Media,
    Part,
    Request,
    Text,
)

T = TypeVar("T")

AT_ONCE = 4
"""More would only share the interpreter's lock, and take it from the event loop. Chosen, not measured."""

SMALL_CHARS = 64 * 1024
"""Of text: so much is counted and copied sooner than a thread wakes. Chosen, not measured."""

ON_LOOP_BYTES = 256 * 1024
"""So many bytes in memory are hashed, probed or decoded from base64 sooner than a thread wakes."""

ON_LOOP_MARKS = 500
"""Commas and colons, one for each value: a body of more may take far longer to read than its size tells."""

ON_LOOP_HEADERS = 64
"""So many headers of media are read sooner than a thread is woken; thousands would hold up everyone else."""

_THREADS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="linear")


async def off_loop(work: Callable[[], T]) -> T:
    """Run some work in a thread, so that the event loop stays free."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


async def off_loop_unless(is_little: bool, work: Callable[[], T]) -> T:
    """Run some work at once where it is little, else in a thread."""
    return work() if is_little else await off_loop(work)


async def off_loop_if_large(request: Request, work: Callable[[], T]) -> T:
    """Run work in proportion to a request: at once where it is small, else in a thread."""
    return await off_loop_unless(is_small(request), work)


async def count_off_loop(text: str, count: Callable[[str], int]) -> int:
    """Count a text's tokens."""
    return await off_loop_unless(len(text) <= SMALL_CHARS, partial(count, text))


def is_small(request: Request) -> bool:
    """Whether the text of a request is small; to find out is cheaper than to process it."""
    left = SMALL_CHARS
    for part in (*request.system, *(part for turn in request.turns for part in turn.parts)):
        left = _less(_written(part), left)
        if left < 0:
            return False
    return _less(request.tools, left) >= 0


def _written(part: Part) -> Json:
    """Return what is written in a part, as JSON; a medium counts as a value."""
    match part:
        case Text(text):
            return text
        case Media():
            return None
        case FunctionCall(name, arguments, _):
            return [name, dict(arguments)]
        case FunctionResult(name, response, _, media):
            return [name, response, *(None for _ in media)]
        case ExecutableCode(_, code):
            return code
        case CodeExecutionResult(_, output):
            return output


_PART_CHARS = 64
"""What a part takes beside its text, or a value beside its letters."""


def _less(value: Json, left: int) -> int:
    """Subtract a value's size from `left`, and stop below zero."""
    stack = [value]
    while stack and left >= 0:
        item = stack.pop()
        left -= _PART_CHARS
        match item:
            case str():
                left -= len(item)
            case list():
                left -= len(item)
                stack += item if left >= 0 else ()
            case dict():
                left -= len(item)
                stack += (*item, *item.values()) if left >= 0 else ()
            case _:
                pass
    return left


async def parse_off_loop(body: bytes | bytearray, read: Callable[[bytes | bytearray], T]) -> T:
    """Parse a body with `read`, off the event loop where that takes long."""
    return await off_loop_unless(len(body) <= ON_LOOP_BYTES and not _is_dense(body), partial(read, body))


def _is_dense(body: bytes | bytearray) -> bool:
    """Whether a body has many values, or few that may stand for many.

    Looking for each is, unlike counting, as good as free in base64.
    """
    if b"$ref" in body:
        return True
    left = ON_LOOP_MARKS
    for mark in b",:":
        at = body.find(mark)
        while at >= 0:
            left -= 1
            if left < 0:
                return True
            at = body.find(mark, at + 1)
    return False
