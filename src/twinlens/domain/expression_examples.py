"""Texts that a regular expression allows, as examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .expressions import Alternation, Concatenation, One, Part, Position, Repetition, shortest

MAX_EXAMPLE = 10_000
"""Characters of the longest example."""

FirstOf = Callable[[str], str | None]
"""Gives a character of a class."""


def example(expression: Part, least: int, most: int, choice: int, first_of: FirstOf) -> str | None:
    """Write a text of so many characters as near as repeats allow, by the choice of that number.

    Below zero, the shortest is chosen everywhere. It has to be tried whether the text matches: what has no
    width is not looked at. None where it would be too long, or a class is empty.
    """
    least_length = shortest(expression)
    if least_length > min(most, MAX_EXAMPLE):
        return None
    writer = _Writer(choice, max(0, min(least, MAX_EXAMPLE) - least_length), first_of)
    written = writer.write(expression)
    return written if written is not None and len(written) <= MAX_EXAMPLE else None


class _Writer:
    """Writes examples. `missing` is how many characters more than the shortest has are still wanted."""

    def __init__(self, choice: int, missing: int, first_of: FirstOf) -> None:
        self._choice = choice
        self._missing = missing
        self._first_of = first_of

    def write(self, part: Part) -> str | None:
        match part:
            case One(source):
                return self._first_of(source)
            case Position():
                return ""
            case Concatenation(parts):
                return self._joined(parts)
            case Alternation(options):
                by_number = options[min(max(self._choice, 0), len(options) - 1)]
                return self.write(by_number if self._choice >= 0 else min(options, key=shortest))
            case Repetition(inner, least, most):
                times = least + self._more(inner, least, most)
                return self._joined([inner] * times) if times else ""

    def _more(self, inner: Part, least: int, most: int | None) -> int:
        """Return how many more times a part is wanted than it must be there, and count those in."""
        length = max(1, shortest(inner))
        wanted = -(-self._missing // length)
        if most is not None:
            wanted = min(wanted, most - least)
        self._missing = max(0, self._missing - wanted * length)
        return wanted

    def _joined(self, parts: Sequence[Part]) -> str | None:
        written: list[str] = []
        for part in parts:
            one = self.write(part)
            if one is None:
                return None
            written.append(one)
        return "".join(written)
