"""What the tables of the Interactions API are made of."""

from __future__ import annotations

from typing import Any

import pytest

from twinlens.wire.interactions.readers import (
    TYPE,
    PlainMessage,
    PlainReading,
    encoded,
    one_of,
    requiring,
    seconds,
    tagged,
    unset,
)
from twinlens.wire.json import JsonText
from twinlens.wire.proto import Field, Reader, string

CAT = PlainMessage("Cat", TYPE, Field("name", string), Field("toys", string, status="ignored"))


def read(reader: Reader, value: Any) -> tuple[Any, list[str]]:
    reading = PlainReading(JsonText(value), "interaction")
    found = reader(reading, value, "input")
    return found, [violation.description for violation in reading.violations]


@pytest.mark.parametrize("value", ["low", "LOW", "Low"])
def test_a_name_is_taken_in_any_case(value: str) -> None:
    assert read(one_of("low", "high"), value) == ("low", [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("medium", 'input must be one of low, high, not "medium".'),
        (7, "input must be one of low, high, not 7."),
        (None, "input is missing: it must be one of low, high."),
    ],
)
def test_a_name_that_is_not_listed_is_refused_with_those_that_are(value: Any, why: str) -> None:
    assert read(one_of("low", "high"), value) == (None, [why])


@pytest.mark.parametrize(
    ("value", "moment"),
    [("10.5s", "10.5s"), ("10.50", "10.5s"), (10, "10s"), (0.25, "0.25s"), ("-1s", "-1s")],
)
def test_a_moment_is_a_number_of_seconds(value: Any, moment: str) -> None:
    assert read(seconds, value) == (moment, [])


@pytest.mark.parametrize("value", ["1:30", "", True, [], 10**15])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    found, (why,) = read(seconds, value)

    assert found is None
    assert why.startswith('input must be seconds, as a number or such as "10.5s", not ')


def test_bytes_are_read_in_either_alphabet() -> None:
    assert read(encoded, "-_8=") == read(encoded, "+/8") == (b"\xfb\xff", [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("data:image/png;base64,AAAA", "must be the base64 alone, without what a data: URL has before it"),
        ("not base64!", "must be base64, not"),
        (7, "must be a string, not 7"),
    ],
)
def test_what_are_no_bytes_is_refused(value: Any, why: str) -> None:
    found, (said,) = read(encoded, value)

    assert found is None
    assert why in said


def test_a_message_gives_only_what_counts() -> None:
    assert read(CAT, {"type": "cat", "name": "Tom", "toys": "mouse"}) == ({"type": "cat", "name": "Tom"}, [])


def test_a_tag_says_which_message_it_is() -> None:
    reader = tagged({"cat": CAT}, silent=("ghost",))

    assert read(reader, {"type": "cat", "name": "Tom"}) == ({"type": "cat", "name": "Tom"}, [])
    assert read(reader, {"type": "ghost", "name": "Tom"}) == ({"type": "ghost"}, [])
    assert read(reader, {"type": "dog"})[1] == ['input.type must be cat, not "dog".']
    assert read(reader, {})[1] == ["input.type is missing: it must be cat."]
    assert read(reader, "Tom")[1] == ['input must be an object, not "Tom".']


def test_a_field_that_must_be_there_is_missed_by_its_path() -> None:
    assert read(requiring(CAT, "name"), {"type": "cat"})[1] == ["input.name is missing."]


def test_a_field_that_is_not_known_is_named() -> None:
    (why,) = read(CAT, {"colour": "grey"})[1]

    assert why == "input.colour is not a known field of Cat."


@pytest.mark.parametrize("value", ["", [], {}])
def test_an_empty_value_asks_for_nothing(value: Any) -> None:
    assert read(unset("sound has no frames"), value) == (None, [])
    assert read(unset("sound has no frames"), 2)[1] == ["input: sound has no frames."]
