"""Callers' regular expressions: read as ECMA-262 means them, matched by RE2.

JSON Schema's `pattern` is ECMA's; RE2 spells some of it otherwise, and leaves out what cannot be matched
in time linear in the text. So a pattern is parsed here and written anew for RE2. The few things that are
not ECMA's but common in patterns from Python and Rust, `(?P<name>…)`, `(?i)`, `\\A` and `\\z`, are read too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from .expression_examples import MAX_EXAMPLE
from .expression_examples import example as _example
from .expression_parser import MANY, parse
from .expressions import Expression, UnreadablePattern

__all__ = ["MAX_EXAMPLE", "MAX_SIZE", "Pattern", "UnreadablePattern", "read_pattern"]

MAX_SIZE = 150_000
"""Instructions of a compiled pattern, and of all that one request has: a tenth of a second's compiling."""
MEMORY_BYTES = (64 << 10, 256 << 10, 2 << 20)
"""What a compiled pattern may hold, with what it remembers while it matches: the least that it fits into.

So a thousand small ones of a request stay small together, whatever they are matched with.
"""
MAX_STEPS = 200_000_000
"""Characters times instructions: what matching takes where RE2 has to go the slow way, about a second."""
_KEPT = 16
_PADDING = ("-", "x", "0", "X", " ", "_")
_TOO_LARGE = "must be smaller: repeats, classes and alternatives are too many"
_NOT_ONE = "must be a regular expression as ECMA-262 has it"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is ready to match; `size` is how many instructions it has."""

    expression: Expression
    size: int
    _compiled: Any

    def matches(self, text: str) -> bool:
        """Whether it matches somewhere in a text; False where a text would take too long to search."""
        if len(text) * self.size > MAX_STEPS:
            return False
        return self._compiled.search(text.encode(errors="replace")) is not None

    def example(self, least: int, most: int) -> str | None:
        """Write a text that matches and has so many characters, at most MAX_EXAMPLE of them, or give up."""
        if least > MAX_EXAMPLE:
            return None
        for choice in range(-1, _KEPT):
            text = _example(self.expression, least, most, choice, _first_of)
            if text is None:
                continue
            missing = least - len(text)
            ends = [one * missing for one in _PADDING] if missing > 0 else []
            for padded in (text, *(text + end for end in ends), *(end + text for end in ends)):
                if least <= len(padded) <= most and self.matches(padded):
                    return padded
        return None


@lru_cache(maxsize=_KEPT)
def read_pattern(text: str) -> Pattern:
    """Compile a pattern; UnreadablePattern says what it must not have."""
    expression = parse(text)
    compiled = _compiled(expression.source)
    return Pattern(expression, compiled.programsize, compiled)


def _compiled(source: str) -> Any:
    for memory in MEMORY_BYTES:
        try:
            return _compiled_within(memory, source)
        except re2.error as error:
            why = str(error)
            if "too large" not in why:
                raise UnreadablePattern(MANY if "repetition size" in why else _NOT_ONE) from error
    raise UnreadablePattern(_TOO_LARGE)


def _compiled_within(memory: int, source: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = memory
    try:
        return re2.compile(source.encode(), options)
    finally:
        # The library would keep the last 128; here the last few are kept.
        re2.purge()


_CANDIDATES = "".join(
    map(
        chr,
        (*b"xX0A-_. ", *range(0x21, 0x7F), 0x20, *range(0xA1, 0xD800), *range(0xE000, 0x20000), 9, 10, 13, 0),
    )
).encode()


@lru_cache(maxsize=256)
def _first_of(source: str) -> str | None:
    """Return a character of a class, a plain one where there is a choice."""
    found = _compiled(source).search(_CANDIDATES)
    return None if found is None else str(found.group().decode())
