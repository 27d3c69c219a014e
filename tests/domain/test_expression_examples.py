"""Texts that a pattern allows."""

from __future__ import annotations

import pytest

from twinlens.domain.expression_examples import MAX_EXAMPLE, example
from twinlens.domain.expression_parser import parse


def letter(source: str) -> str | None:
    return "x" if source.startswith("[") else chr(int(source[3:-1], 16))


def written(pattern: str, least: int = 0, most: int = 100, choice: int = 0) -> str | None:
    return example(parse(pattern), least, most, choice, letter)


@pytest.mark.parametrize(
    ("pattern", "text"), [("", ""), ("^abc$", "abc"), ("a+", "a"), ("a*b", "b"), ("[0-9]{3}", "xxx")]
)
def test_the_shortest_is_written_where_no_more_is_wanted(pattern: str, text: str) -> None:
    assert written(pattern) == text


def test_repeats_make_up_what_is_wanted() -> None:
    assert written("ab*c", least=6) == "abbbbc"
    assert written("a{2,3}b*", least=5) == "aaabb"


def test_options_are_chosen_by_number() -> None:
    assert [written("a|bb|ccc", choice=choice) for choice in (0, 1, 2, 9, -1)] == [
        "a",
        "bb",
        "ccc",
        "ccc",
        "a",
    ]


def test_what_would_be_too_long_is_not_written() -> None:
    assert written("a{9}", most=8) is None
    assert written("(?:(?:a{100}){100}){2}", most=MAX_EXAMPLE * 10) is None


def test_a_class_that_is_empty_has_no_example() -> None:
    assert example(parse("[]"), 0, 10, 0, lambda _: None) is None
