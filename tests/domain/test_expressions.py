"""The parts of a regular expression."""

from __future__ import annotations

import pytest

from twinlens.domain.expressions import (
    Alternation,
    Concatenation,
    One,
    Part,
    Position,
    Repetition,
    shortest,
)

A, EDGE = One("a"), Position(r"\b")


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (Concatenation((A, EDGE)), r"a\b"),
        (Alternation((A, One("b"))), "(?:a|b)"),
        (Alternation((A,), "(?i:"), "(?i:a)"),
        (Repetition(A, 2, 3), "(?:a){2,3}"),
        (Repetition(A, 1, None), "(?:a){1,}"),
    ],
)
def test_a_part_is_written_as_re2_has_it(part: Part, source: str) -> None:
    assert part.source == source


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (A, 1),
        (EDGE, 0),
        (Concatenation((A, EDGE, A)), 2),
        (Alternation((Concatenation((A, A)), A)), 1),
        (Repetition(Concatenation((A, A)), 3, None), 6),
        (Repetition(A, 0, 9), 0),
    ],
)
def test_the_shortest_text_is_counted(part: Part, count: int) -> None:
    assert shortest(part) == count
