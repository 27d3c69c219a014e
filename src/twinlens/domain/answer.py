"""What goes back to the caller: whole, or a piece at a time.

A piece of a stream is an `Answer` that holds only what is new, with the usage so far. The plain
answer is the `fold` of the pieces: there is no other way to make one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .engine import Blocked, Finished, Text, Thought, Usage


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the answers asked for, or its next piece; `finish` is set on its last piece only."""

    index: int
    parts: tuple[Text | Thought, ...] = ()
    finish: Finished | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates and usage; or, when the prompt was `blocked`, no candidates."""

    candidates: tuple[Candidate, ...]
    usage: Usage
    blocked: Blocked | None = None


def fold(pieces: Iterable[Answer]) -> Answer:
    """Join the pieces of a stream into the answer that a caller without streaming gets."""
    candidates: dict[int, Candidate] = {}
    last: Answer | None = None
    blocked: Blocked | None = None
    for piece in pieces:
        last, blocked = piece, blocked or piece.blocked
        for new in piece.candidates:
            old = candidates.get(new.index, Candidate(new.index))
            parts = _joined(old.parts + new.parts)
            candidates[new.index] = Candidate(new.index, parts, new.finish or old.finish)
    if last is None:
        raise ValueError("an answer has at least one piece")
    return Answer(tuple(candidates[index] for index in sorted(candidates)), last.usage, blocked)


def _joined(parts: tuple[Text | Thought, ...]) -> tuple[Text | Thought, ...]:
    """Join neighbours of the same kind, so that a reader finds one text; drop empty ones."""
    joined: list[Text | Thought] = []
    for part in filter(lambda part: part.text, parts):
        if joined and type(joined[-1]) is type(part):
            joined[-1] = replace(joined[-1], text=joined[-1].text + part.text)
        else:
            joined.append(part)
    return tuple(joined)
