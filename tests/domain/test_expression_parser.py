"""ECMA-262's patterns, parsed."""

from __future__ import annotations

import pytest

from twinlens.domain.expression_parser import MAX_CHARACTERS, MAX_DEPTH, MAX_REPEATS, parse
from twinlens.domain.expressions import UnreadablePattern


@pytest.mark.parametrize(
    ("pattern", "source"),
    [
        ("", "(?:)"),
        ("a|b", r"(?:\x{61}|\x{62})"),
        ("a?", r"(?:(?:\x{61}){0,1})"),
        ("a{2}", r"(?:(?:\x{61}){2,2})"),
        ("a{2,}?", r"(?:(?:\x{61}){2,})"),
        (r"\d", r"(?:[\x{30}-\x{39}])"),
        ("[a-c]", r"(?:[\x{61}-\x{63}])"),
        ("[]", r"(?:[^\x{0}-\x{10FFFF}])"),
        (r"\p{Letter}", r"(?:[\p{L}])"),
        (r"\u{1F600}", r"(?:\x{1F600})"),
        (r"\uD83D\uDE00", r"(?:\x{1F600})"),
        ("a{", r"(?:\x{61}\x{7B})"),
        ("(?<name>a)", r"(?:(?:\x{61}))"),
    ],
)
def test_a_pattern_becomes_what_re2_has_for_it(pattern: str, source: str) -> None:
    assert parse(pattern).source == source


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "a group has no end at character 1"),
        (")", "there is a ) too many"),
        ("[a", "a class has no end"),
        ("[b-a]", "a range in a class ends before it begins"),
        ("a{2,1}", "a repeat ends before it begins"),
        ("*", "there is nothing to repeat"),
        ("a**", "there is nothing to repeat"),
        (r"^*", "there is nothing to repeat"),
        ("\\", "it ends with a backslash"),
        (r"\y", r"\y is no escape"),
        (r"\uD83D", "an escape means no character"),
        ("(?=a)", "look-arounds"),
        (r"\1", "refer back"),
        (f"a{{{MAX_REPEATS + 1}}}", "repeat anything more than"),
        ("a" * (MAX_CHARACTERS + 1), "at most"),
        ("(" * (MAX_DEPTH + 1), "groups within one another"),
    ],
)
def test_what_is_wrong_is_said(pattern: str, why: str) -> None:
    with pytest.raises(UnreadablePattern) as caught:
        parse(pattern)

    assert str(caught.value).startswith("must ")
    assert why in str(caught.value)
