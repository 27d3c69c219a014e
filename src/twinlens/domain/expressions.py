"""The parts of a regular expression, each with how RE2 writes it."""

from __future__ import annotations

from dataclasses import dataclass


class UnreadablePattern(ValueError):
    """A pattern is not one, or has what is not matched here; the sentence begins with `must`."""


@dataclass(frozen=True, slots=True)
class One:
    """One character, or one of a class; `source` is RE2's."""

    source: str


@dataclass(frozen=True, slots=True)
class Position:
    """Something of no width: a beginning, an end, the edge of a word, a change of flags."""

    source: str


@dataclass(frozen=True, slots=True)
class Concatenation:
    """One after the other."""

    parts: tuple[Part, ...]

    @property
    def source(self) -> str:
        """Write it as RE2 has it."""
        return "".join(part.source for part in self.parts)


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of several; `opening` is that of the group they stand in."""

    options: tuple[Part, ...]
    opening: str = "(?:"

    @property
    def source(self) -> str:
        """Write it as RE2 has it."""
        return f"{self.opening}{'|'.join(option.source for option in self.options)})"


@dataclass(frozen=True, slots=True)
class Repetition:
    """The same so many times; None is without an end."""

    part: Part
    least: int
    most: int | None

    @property
    def source(self) -> str:
        """Write it as RE2 has it."""
        most = "" if self.most is None else self.most
        return f"(?:{self.part.source}){{{self.least},{most}}}"


Part = One | Position | Concatenation | Alternation | Repetition
Expression = Alternation


def shortest(part: Part) -> int:
    """Count the characters of the shortest text a part allows."""
    match part:
        case One():
            return 1
        case Position():
            return 0
        case Concatenation(parts):
            return sum(map(shortest, parts))
        case Alternation(options):
            return min(map(shortest, options))
        case Repetition(inner, least, _):
            return least * shortest(inner)
