"""The caller's stop sequences and output limit, enforced for every engine alike.

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
    """Clear `more` of every text: what is cut may end earlier than the engine knows."""
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
    written: dict[type, _Counter] = defaultdict(partial(_Counter, count))
    calls = 0

    def room_beside(own: _Counter | None = None) -> int:
        """Return what the limit leaves, counting exactly only where the estimates leave too little."""
        others = [counter for counter in written.values() if counter is not own]
        most = limit - calls - sum(counter.at_most for counter in others)
        if most >= (own.at_most if own else 0):
            return most
        return limit - calls - sum(counter.exactly() for counter in others)

    async with aclosing(events):
        async for event in events:
            if isinstance(event, Text | Thought):
                own = written[type(event)]
                own.add(event.text)
                room = room_beside(own)
                if own.is_over(room):
                    fitting = own.fitting(event.text, room)
                    if fitting:
                        yield type(event)(fitting)
                    yield Finished("MAX_TOKENS")
                    return
            elif isinstance(event, FunctionCall):
                calls += count(output_text_of(event))
                if room_beside() < 0:
                    yield Finished("MAX_TOKENS")
                    return
            yield event


SETTLED_CHARS = 4096
"""After so many characters a count is final: a token at each seam at most is counted too much until the
whole is counted, and no character is counted again with every piece."""


class _Counter:
    """Counts the tokens of a text that comes in pieces, in work linear in its length.

    Joined texts have no more tokens than their pieces, so the sum over pieces is an upper bound. Only where
    it passes the limit is more counted: first the open end again, as one text, then the whole.
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self._settled: list[str] = []
        self._settled_tokens = 0
        self._open: list[str] = []
        self._open_tokens = 0
        self._open_chars = 0

    @property
    def at_most(self) -> int:
        """An upper bound of all tokens."""
        return self._settled_tokens + self._open_tokens

    def add(self, piece: str) -> None:
        """Add a piece of the text."""
        self._open.append(piece)
        self._open_tokens += self._count(piece)
        self._open_chars += len(piece)

    def exactly(self) -> int:
        """Count all of it as one text."""
        if len(self._settled) > 1 or self._open:
            self._settled = ["".join((*self._settled, *self._open))]
            self._settled_tokens = self._count(self._settled[0])
            self._empty_open()
        return self._settled_tokens

    def is_over(self, limit: int) -> bool:
        """Whether all of it is more than the limit."""
        if self.at_most <= limit:
            return False
        if len(self._open) > 1:
            self._recount_open()
        return self.at_most > limit and self.exactly() > limit

    def fitting(self, last: str, limit: int) -> str:
        """Return the longest prefix of `last`, the end of the text, that fits the limit."""
        text = "".join((*self._settled, *self._open))
        before = text[: len(text) - len(last)]
        taken = 0
        while True:
            left = limit - self._count(before + last[:taken])
            more = self._about(last[taken:], left) if left >= 0 else 0
            if not more:
                break
            taken += more
        # A seam may have hidden a few characters more.
        low, high = taken, min(taken + _SEAM_CHARS, len(last))
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._count(before + last[:middle]) <= limit else (low, middle - 1)
        return last[:low]

    def _about(self, text: str, limit: int) -> int:
        """Return the length of a beginning with at most `limit` tokens, close to the longest: by halves."""
        start, size = 0, len(text)
        while size:
            size = (size + 1) // 2 if size > 1 else 0
            half = text[start : start + max(size, 1)]
            tokens = self._count(half)
            if tokens <= limit:
                start, limit = start + len(half), limit - tokens
                size = min(size, len(text) - start)
        return start

    def _recount_open(self) -> None:
        self._open = ["".join(self._open)]
        self._open_tokens = self._count(self._open[0])
        if self._open_chars >= SETTLED_CHARS:
            self._settled += self._open
            self._settled_tokens += self._open_tokens
            self._empty_open()

    def _empty_open(self) -> None:
        self._open, self._open_tokens, self._open_chars = [], 0, 0


_SEAM_CHARS = 64
"""As far as a token may reach over a seam: the longest of the usual vocabularies."""
