"""What goes back to the caller: whole, or a piece at a time.

A piece of a stream is an `Answer` that holds only what is new, with the usage so far. The plain
answer is the `fold` of the pieces: there is no other way to make one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .engine import Blocked, Finished, Said, Text, Thought, Usage


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the answers asked for, or its next piece; `finish` is set on its last piece only."""

    index: int
    parts: tuple[Said, ...] = ()
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


def _joined(parts: tuple[Said, ...]) -> tuple[Said, ...]:
    """Join neighbouring texts of the same kind, so that a reader finds one; drop empty ones."""
    joined: list[Said] = []
    for part in parts:
        match joined[-1:], part:
            case _, Text("") | Thought(""):
                pass
            case [Text(before)], Text(text):
                joined[-1] = Text(before + text)
            case [Thought(before)], Thought(text):
                joined[-1] = Thought(before + text)
            case _:
                joined.append(part)
    return tuple(joined)
