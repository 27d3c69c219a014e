"""Options that an engine declares: what they take, from texts and from values, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from twinlens.engines.base import EngineSetupError
from twinlens.engines.options import NoOptions, OptionError, build, option, options_of, parse_pairs


@dataclass(frozen=True, slots=True)
class Options:
    """One of each sort."""

    url: str = option(sentence="Where the server is.")
    mode: Literal["fast", "exact"] = option("fast", "How it looks.")
    processes: int = option(1, "How many look.", unit="processes", least=1)
    timeout_s: float | None = option(None, "Longest time.", unit="seconds", least=0)
    strict: bool = option(False, "Whether it minds.")
    weights: Path | None = option(None, "Where the weights are.")
    stop: tuple[str, ...] = option((), "Words that end an answer.")

    def __post_init__(self) -> None:
        if self.strict and self.mode == "fast":
            raise ValueError("strict needs the mode exact.")


def test_options_are_described_in_their_order_with_default_and_unit() -> None:
    rows = options_of(Options)

    assert [row.name for row in rows] == [
        "url",
        "mode",
        "processes",
        "timeout_s",
        "strict",
        "weights",
        "stop",
    ]
    assert [row.required for row in rows] == [True] + [False] * 6
    assert (rows[2].default, rows[2].unit, rows[2].sentence) == (1, "processes", "How many look.")
    assert [row.expects for row in rows] == [
        "a text",
        "one of: fast, exact",
        "a whole number from 1",
        "a number from 0",
        "true or false",
        "a path",
        "a list of texts",
    ]


def test_texts_become_what_the_annotation_says() -> None:
    pairs = [
        "url=http://x/?a=b",
        "mode=exact",
        "processes=4",
        "timeout-s=1.5",
        "strict=on",
        "weights=w/a",
        "stop=a",
        "stop=b",
    ]

    assert build(Options, parse_pairs(Options, pairs)) == Options(
        "http://x/?a=b", "exact", 4, 1.5, True, Path("w/a"), ("a", "b")
    )


def test_values_become_what_the_annotation_says() -> None:
    made = build(Options, {"url": "u", "timeout_s": 2, "weights": "w", "stop": ["a"]})

    assert made == Options("u", timeout_s=2.0, weights=Path("w"), stop=("a",))
    assert type(made.timeout_s) is float


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ("url", "must be KEY=VALUE"),
        ("mode=slow", "must be one of: fast, exact, not 'slow'"),
        ("processes=many", "must be a whole number from 1, not 'many'"),
        ("processes=0", "must be a whole number from 1, not 0"),
        ("timeout_s=nan", "must be a number from 0, not nan"),
        ("strict=maybe", "must be true or false, not 'maybe'"),
        ("weights=", "must be a path, not ''"),
        ("mod=fast", "there is no such option; did you mean 'mode'?"),
        (
            "colour=red",
            "there is no such option; known: url, mode, processes, timeout_s, strict, ",
        ),
    ],
)
def test_a_wrong_text_is_told_with_the_option_and_the_choices(pair: str, why: str) -> None:
    with pytest.raises(OptionError) as refusal:
        parse_pairs(Options, [pair])

    assert refusal.value.option == pair.partition("=")[0]
    assert why in refusal.value.why


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"url": 5}, "must be a text, not 5"),
        ({"url": "u", "processes": True}, "must be a whole number from 1, not True"),
        ({"url": "u", "processes": 1.5}, "must be a whole number from 1, not 1.5"),
        ({"url": "u", "strict": 1}, "must be true or false, not 1"),
        ({"url": "u", "mode": ["fast"]}, "must be one of: fast, exact"),
        ({"url": "u", "stop": "a"}, "must be a list of texts"),
        ({"url": "u", "stop": [1]}, "must be a list of texts"),
        ({}, "must be given. Where the server is."),
    ],
)
def test_a_wrong_value_is_told(values: dict[str, Any], why: str) -> None:
    with pytest.raises(OptionError) as refusal:
        build(Options, values)

    assert why in refusal.value.why


def test_an_option_is_given_once() -> None:
    with pytest.raises(OptionError, match="processes: is given twice"):
        parse_pairs(Options, ["processes=1", "processes=2"])


def test_what_options_say_together_is_the_engines_to_check() -> None:
    with pytest.raises(EngineSetupError, match=r"strict needs the mode exact\."):
        build(Options, {"url": "u", "strict": True})


def test_an_engine_may_have_no_options() -> None:
    assert build(NoOptions, {}) == NoOptions()
    with pytest.raises(OptionError, match="there is no such option; the engine has none"):
        parse_pairs(NoOptions, ["mode=fast"])


def test_a_declaration_that_no_setting_can_give_is_told() -> None:
    @dataclass(frozen=True)
    class Odd:
        ages: dict[str, int] = option(None, "Ages by name.")

    with pytest.raises(EngineSetupError, match="'ages'"):
        options_of(Odd)
