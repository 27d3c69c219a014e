"""What goes back to the caller: whole, or a piece at a time.

A piece of a stream is an `Answer` that holds only what is new, with the usage so far. The plain
answer is the `fold` of the pieces: there is no other way to make one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from .engine import Blocked, Finished, FunctionCall, OutputPart, Text, Thought, Usage


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the answers asked for, or its next piece; `finish` is set on its last piece only."""

    index: int
    parts: tuple[OutputPart, ...] = ()
    finish: Finished | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates and usage; or, when the prompt was `blocked`, no candidates."""

    candidates: tuple[Candidate, ...]
    usage: Usage
    blocked: Blocked | None = None


def fold(pieces: Iterable[Answer]) -> Answer:
    """Join the pieces of a stream into the answer that a caller without streaming gets."""
    said: defaultdict[int, list[OutputPart]] = defaultdict(list)
    finishes: dict[int, Finished | None] = {}
    last: Answer | None = None
    blocked: Blocked | None = None
    for piece in pieces:
        last, blocked = piece, blocked or piece.blocked
        for new in piece.candidates:
            said[new.index] += new.parts
            finishes[new.index] = new.finish or finishes.get(new.index)
    if last is None:
        raise ValueError("an answer has at least one piece")
    candidates = (Candidate(index, tuple(joined(said[index])), finishes[index]) for index in sorted(said))
    return Answer(tuple(candidates), last.usage, blocked)


def is_heard(piece: OutputPart) -> bool:
    """Whether a piece has any output: an empty text does not even separate its neighbours."""
    return isinstance(piece, FunctionCall) or piece.text != ""


def joined(parts: Iterable[OutputPart]) -> Iterator[OutputPart]:
    """Join neighbouring texts of the same kind, so that a reader finds one; drop empty ones."""
    for kind, run in groupby(filter(is_heard, parts), type):
        pieces = list(run)
        if kind is FunctionCall:
            yield from pieces
            continue
        text = "".join(piece.text for piece in pieces if not isinstance(piece, FunctionCall))
        yield Thought(text) if kind is Thought else Text(text)
