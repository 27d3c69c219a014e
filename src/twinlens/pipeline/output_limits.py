"""What the caller's sampling asks of an answer, enforced for every engine alike.

Engines may stop earlier on their own; here is where stop sequences and `max_output_tokens` hold even
for those that know neither. Thoughts and function calls count towards the limit; a call is given out
whole or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from ..domain.engine import Event, Finished, FunctionCall, Text, Thought
from ..domain.rendering import output_text_of
from ..domain.request import Sampling

Count = Callable[[str], int]
Events = AsyncGenerator[Event, None]


async def limited(events: Events, sampling: Sampling, count: Count) -> Events:
    """Cut one candidate's events at the first stop sequence and at the output limit.

    Closing the result closes `events`.
    """
    if sampling.stop_sequences or sampling.max_output_tokens is not None:
        events = _open_ended(events)
    if sampling.stop_sequences:
        events = _stopped(events, sampling.stop_sequences)
    if sampling.max_output_tokens is not None:
        events = _cut(events, sampling.max_output_tokens, count)
    async with aclosing(events):
        async for event in events:
            yield event


async def _open_ended(events: Events) -> Events:
    """Take back what engines say of more to come: what is cut may end earlier than they know."""
    async with aclosing(events):
        async for event in events:
            yield replace(event, more=False) if isinstance(event, Text) else event


async def _stopped(events: Events, stops: tuple[str, ...]) -> Events:
    """End at the first stop sequence, holding back what may be the beginning of one.

    What was looked through without finding one is not looked through again.

    However the text is cut into pieces, the same is given out: a stop counts only once no other that
    begins before it can still be completed.
    """
    longest = max(map(len, stops))
    held, seen = "", 0
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, Thought):
                held += event.text if isinstance(event, Text) else ""
                over = not isinstance(event, Text)
                found_at = (held.find(stop, max(seen - len(stop) + 1, 0)) for stop in stops)
                at = min((i for i in found_at if i >= 0), default=len(held))
                found = at < len(held) and (over or at - 1 + longest <= len(held))
                ready = held[: at if found or over else min(at, max(len(held) - longest + 1, 0))]
                held = held[len(ready) :]
                # One that was found is found again, until it is certain which comes first.
                seen = len(held) if at == len(ready) + len(held) else 0
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
    written: dict[type, _Written] = defaultdict(partial(_Written, count))
    calls = 0
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Text | Thought):
                own = written[type(event)]
                others = calls + sum(one.exactly() for one in written.values() if one is not own)
                before = own.text_if_over(event.text, limit - others)
                if before is not None:
                    fitting = _prefix(before + event.text, limit - others, count)[len(before) :]
                    if fitting:
                        yield type(event)(fitting)
                    yield Finished("MAX_TOKENS")
                    return
            elif isinstance(event, FunctionCall):
                calls += count(output_text_of(event))
                if calls + sum(one.exactly() for one in written.values()) > limit:
                    yield Finished("MAX_TOKENS")
                    return
            yield event


class _Written:
    """What has been written of one kind, counted as a whole only where its pieces may be too much.

    A text has no more tokens than its pieces: while those are few enough, so is it.
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self._pieces: list[str] = []
        self._most = 0
        self._is_exact = True

    def exactly(self) -> int:
        """Count all of it."""
        if not self._is_exact:
            self._pieces = ["".join(self._pieces)]
            self._most, self._is_exact = self._count(self._pieces[0]), True
        return self._most

    def text_if_over(self, piece: str, limit: int) -> str | None:
        """Add a piece; where all is more than the limit then, leave it out and give what there was before."""
        more = self._count(piece)
        if self._most + more > limit:
            before = "".join(self._pieces)
            whole = self._count(before + piece)
            if whole > limit:
                return before
            self._pieces, self._most, self._is_exact = [before + piece], whole, True
            return None
        self._pieces.append(piece)
        self._most, self._is_exact = self._most + more, False
        return None


def _prefix(text: str, limit: int, count: Count) -> str:
    """Find the longest beginning of the text with at most `limit` tokens, by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
