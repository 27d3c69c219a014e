"""What the caller's sampling asks of an answer, enforced for every engine alike.

Engines may stop earlier on their own; here is where stop sequences and `max_output_tokens` hold even
for those that know neither. Thoughts and function calls count towards the limit; a call is given out
whole or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ..domain.engine import Call, Event, Finished, Text, Thought
from ..domain.request import Sampling
from . import prompt

Count = Callable[[str], int]
Events = AsyncGenerator[Event, None]


async def limited(events: Events, sampling: Sampling, count: Count) -> Events:
    """Cut one candidate's events at the first stop sequence and at the output limit.

    Closing the result closes `events`.
    """
    if sampling.stop_sequences:
        events = _stopped(events, sampling.stop_sequences)
    if sampling.max_output_tokens is not None:
        events = _cut(events, sampling.max_output_tokens, count)
    async with aclosing(events):
        async for event in events:
            yield event


async def _stopped(events: Events, stops: tuple[str, ...]) -> Events:
    """End at the first stop sequence, holding back what may be the beginning of one.

    However the text is cut into pieces, the same is given out: a stop counts only once no other that
    begins before it can still be completed.
    """
    longest = max(map(len, stops))
    held = ""
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, Thought):
                held += event.text if isinstance(event, Text) else ""
                over = not isinstance(event, Text)
                at = min((i for i in map(held.find, stops) if i >= 0), default=len(held))
                found = at < len(held) and (over or at - 1 + longest <= len(held))
                ready = held[: at if found or over else min(at, max(len(held) - longest + 1, 0))]
                held = held[len(ready) :]
                if ready:
                    yield Text(ready)
                if found:
                    yield Finished("STOP")
                    return
                if not over:
                    continue
            yield event


async def _cut(events: Events, limit: int, count: Count) -> Events:
    """End with MAX_TOKENS where the limit is passed; the last piece of text is cut to fit."""
    seen: dict[type, str] = defaultdict(str)
    calls = 0
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Text | Thought):
                kind = type(event)
                before = calls + sum(count(text) for other, text in seen.items() if other is not kind)
                whole = seen[kind] + event.text
                if before + count(whole) > limit:
                    fitting = _prefix(whole, limit - before, count)[len(seen[kind]) :]
                    if fitting:
                        yield kind(fitting)
                    yield Finished("MAX_TOKENS")
                    return
                seen[kind] = whole
            elif isinstance(event, Call):
                calls += count(prompt.text_of(event))
                if calls + sum(map(count, seen.values())) > limit:
                    yield Finished("MAX_TOKENS")
                    return
            yield event


def _prefix(text: str, limit: int, count: Count) -> str:
    """Find the longest beginning of the text with at most `limit` tokens, by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
