from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlens.domain.patterns import UnreadablePattern, read_pattern

LINEAR = "patterns are matched in time linear in the text"


def refused(pattern: str) -> str:
    with pytest.raises(UnreadablePattern) as caught:
        read_pattern(pattern)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("", "", None),
        ("b", "abc", "aBc"),
        (r"^\d+$", "12", "1٢"),
        (r"^\w$", "_", "é"),
        (r"^\D$", "٢", "2"),
        (r"^\W$", "é", "e"),
        (r"^\s{4}$", " \u00a0\u3000\v", "    \u200b"),
        (r"^\S$", "\u200b", "\ufeff"),
        (r"^[^\S\n]+$", "\t\u2003", "\n"),
        (r"^[\s\d]+$", "1\u00a02", "a"),
        (r"^[\S]+$", "ab", "a\u2028"),
        (r"^.$", "\x0b", "\u2028"),
        ("^a.b$", "a\x85b", "a\rb"),
        (r"(?s)^a.b$", "a\nb", "a\nc"),
        (r"^(?s:.).$", "\na", "\n\n"),
        (r"^(?-s:.)$", "a", "\n"),
        (r"a$", "ba", "a\n"),
        (r"^a", "ab", "\na"),
        (r"(?m)^a$", "b\na\n", "ba"),
        (r"\bcat\b", "a cat!", "cats"),
        (r"\Bat", "cat", "at"),
        (r"^[\b]$", "\x08", "b"),
        (r"^\cA\cz\0\v\f\t\r\n$", "\x01\x1a\0\v\f\t\r\n", "cA"),
        (r"^\x41\u0042\u{43}\u{1F600}$", "ABC\U0001f600", "ABC"),
        (r"^\uD83D\uDE00$", "\U0001f600", "\U0001f601"),
        (r"^[\uD83D\uDE00-\uD83D\uDE02]$", "\U0001f601", "\U0001f603"),
        (r"^\/\-\.\@é$", "/-.@é", "/-x@é"),
        ("^[^]$", "\n", ""),
        ("^[^a]$", "\U0001f600", "a"),
        ("a|[]", "a", "b"),
        (r"^[a\]\\^-]+$", r"a]\^-", "["),
        ("^[[:alpha:]]$", "a]", "b]"),
        (r"^[\d-x]+$", "1-x", "b"),
        (r"^[+--]+$", "+,-", "."),
        (r"^[a-\d]+$", "a-1", "b"),
        (r"^\p{L}\p{Lu}\P{L}\pN$", "éÉ-1", "1É-1"),
        (r"^\p{Letter}[\p{Uppercase_Letter}\d]\p{gc=Nd}$", "éÉ1", "éé1"),
        (r"^\p{Script=Greek}\p{sc=Latin}\p{ASCII}\p{Any}$", "αéa\n", "aéa\n"),
        (r"^(?<year>\d{4})-(?P<month>\d\d)$", "2026-01", "26-01"),
        (r"^(?<n>a)|(?<n>b)$", "b", "c"),
        ("^(?i)straße$", "STRASSE".replace("SS", "ẞ"), "x"),
        ("^(?i:a)b$", "Ab", "AB"),
        ("^(?i)[^a]$", "b", "A"),
        ("^a{2}b{1,}c{0,1}d*?e+?f??$", "aabe", "abe"),
        ("^a{$", "a{", "a"),
        ("^a{,2}}]$", "a{,2}}]", "aa"),
        ("^(?:a|b|)c$", "c", "abc"),
        (r"\Aa\z", "a", "a\n"),
        ("^a{1000}$", "a" * 1000, "a" * 999),
    ],
)
def test_a_pattern_means_what_ecma_says(pattern: str, found: str, missed: str | None) -> None:
    read = read_pattern(pattern)

    assert read.matches(found)
    assert missed is None or not read.matches(missed)


@pytest.mark.parametrize("pattern", ["(?=a)", "a(?!b)", "x(?<=x)", "(?<!a)b", "((?=a))"])
def test_look_arounds_are_refused(pattern: str) -> None:
    assert refused(pattern) == f"must not have look-arounds such as (?=...) and (?<!...): {LINEAR}"


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?<n>a)\k<n>", r"(?P<n>a)(?P=n)", r"\9"])
def test_back_references_are_refused(pattern: str) -> None:
    assert refused(pattern) == rf"must not refer back to a group as \1 and \k<name> do: {LINEAR}"


@pytest.mark.parametrize(
    "pattern", ["a{1001}", "a{1,1001}", "a{99999999999,}", "(?:a{500}){3}", "((a{20}){20}){20}"]
)
def test_repeats_over_a_thousand_are_refused(pattern: str) -> None:
    assert refused(pattern).startswith("must not repeat anything more than 1000 times")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a)", "there is a ) too many at character 1"),
        ("(a", "a group has no end at character 2"),
        ("[a", "a class has no end at character 2"),
        ("*", "there is nothing to repeat at character 1"),
        ("a**", "there is nothing to repeat at character 2"),
        ("a++", "there is nothing to repeat at character 2"),
        ("^*", "there is nothing to repeat at character 1"),
        ("a{2,1}", "a repeat ends before it begins at character 6"),
        ("[b-a]", "a range in a class ends before it begins at character 4"),
        ("(?>a)", "a group begins with what is not known here at character 1"),
        ("(?#a)", "a group begins with what is not known here at character 1"),
        ("(?(1)a)", "a group begins with what is not known here at character 1"),
        ("\\", "it ends with a backslash at character 1"),
        (r"\y", r"\y is no escape at character 2"),
        (r"\Qa\E", r"\Q is no escape at character 2"),
        (r"\u12", r"\u is no escape at character 2"),
        (r"[\1]", r"\1 is no escape at character 3"),
        (r"\uD83D", "an escape means no character at character 6"),
        (r"\u{110000}", "an escape means no character at character 10"),
        (r"\p{", "a property is not known here at character 1"),
        ("\ud800", "there is half a character at character 1"),
    ],
)
def test_what_is_no_pattern_is_told_with_its_place(pattern: str, why: str) -> None:
    assert refused(pattern) == f"must be a regular expression: {why}"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a" * 4001, "must have at most 4000 characters"),
        ("(" * 51 + ")" * 51, "must have at most 50 groups within one another"),
        (r"\p{L}{1,1000}", "must be smaller"),
        (r"\p{Klingon}", "must be a regular expression"),
    ],
)
def test_patterns_have_limits(pattern: str, why: str) -> None:
    assert refused(pattern).startswith(why)


def test_what_would_take_for_ever_elsewhere_is_matched() -> None:
    doubled = read_pattern("^" + "(?:a|a)?" * 30 + "(a+)+$")

    assert not doubled.matches("a" * 5000 + "!")


def test_a_text_that_takes_too_long_to_search_does_not_match() -> None:
    large = read_pattern("^.{1,1000}")

    assert large.matches("a" * 5000)
    assert not large.matches("a" * 100_000)


def test_half_a_character_in_a_text_does_no_harm() -> None:
    assert read_pattern("^a").matches("a\ud800")


@settings(max_examples=300, deadline=None)
@given(st.text(r"ab1-()[]{}|*+?.^$\dwsSbcxu0,<>=!:iP" + "\n", max_size=12))
def test_any_text_is_read_or_refused(pattern: str) -> None:
    with suppress(UnreadablePattern):
        assert read_pattern(pattern).size > 0


@settings(max_examples=300, deadline=None)
@given(
    # ECMA-262 has empty classes, `[]` and `[^]`; there, Python takes the bracket for a member.
    st.text("ab1-()[]|*?^$", max_size=8).filter(lambda pattern: not re.search(r"\[\^?\]", pattern)),
    st.text("ab1-", max_size=6),
)
def test_simple_patterns_agree_with_another_matcher(pattern: str, text: str) -> None:
    try:
        known = re.compile(pattern)
        read = read_pattern(pattern)
    except (re.error, UnreadablePattern, FutureWarning):
        return

    assert read.matches(text) == bool(known.search(text))


@pytest.mark.parametrize(
    ("pattern", "least", "most", "example"),
    [
        (r"^[A-Z]{3}-\d{4}$", 0, 100, "XXX-0000"),
        (r"^(?:long|short|no)$", 0, 100, "no"),
        (r"^(?:no|a long one)$", 5, 100, "a long one"),
        (r"^\d+$", 4, 4, "0000"),
        (r"^a(?:bc)*d{0,3}$", 7, 7, "abcbcbc"),
        (r"^INV", 6, 6, "INV---"),
        (r"\d$", 3, 9, "000"),
        (r"INV$", 6, 6, "---INV"),
        (r"^\p{Script=Greek}{2}$", 0, 9, "ͰͰ"),
        (r"^[^\x00-\x7f]$", 0, 9, "¡"),
        (r"^[]$", 0, 9, None),
        (r"^\d{5}$", 0, 4, None),
        (r"^a{3}$", 4, 9, None),
        (r"^a$b", 0, 9, None),
        (r"^a*$", 20_000, 30_000, None),
        (r"x{1000}" * 11, 0, 100_000, None),
        (r"^a{0,1000}$", 500, 1000, "a" * 500),
    ],
)
def test_an_example_keeps_the_pattern_and_its_length(
    pattern: str, least: int, most: int, example: str | None
) -> None:
    assert read_pattern(pattern).example(least, most) == example
