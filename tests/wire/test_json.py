from __future__ import annotations

import json
import random
import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlens.domain.errors import InvalidArgument
from twinlens.wire import json as wire_json

quick = settings(max_examples=100, deadline=None)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | st.just("data"), inner, max_size=4),
    max_leaves=12,
)
BIG = "".join(random.Random(0).choices(string.ascii_letters, k=wire_json.MIN_CUT_BYTES))


def plain(body: bytes) -> object:
    document = wire_json.read(body)
    return document.plain(document.value)


@quick
@given(values, st.sampled_from([None, 1]), st.booleans())
def test_what_was_dumped_reads_back_equal(value: object, indent: int | None, ascii_only: bool) -> None:
    body = json.dumps({"": value}, indent=indent, ensure_ascii=ascii_only).encode()

    assert plain(body) == {"": value}


@quick
@given(values, st.lists(st.integers(0, 6000), min_size=1, max_size=4), st.booleans())
def test_large_data_strings_read_back_at_any_depth(value: object, sizes: list[int], escaped: bool) -> None:
    letters = [("é\\" if escaped else "") + (BIG * 2)[:size] for size in sizes]
    whole = {"a": value, "list": [{"data": data, "x": {"data": value}} for data in letters]}

    assert plain(json.dumps(whole, ensure_ascii=False).encode()) == whole


@quick
@given(values)
def test_lenient_reading_of_strict_json_is_the_same(value: object) -> None:
    """A trailing comma sends the whole text down the lenient road."""
    whole = {"a": value, "b": {"data": BIG}}
    body = json.dumps(whole).encode()

    assert plain(body[:-1] + b",}") == whole


@quick
@given(st.binary(max_size=60) | st.text("{}[]:,'\"\\ua1e-. \n", max_size=40).map(str.encode))
def test_anything_else_is_an_invalid_argument(body: bytes) -> None:
    with suppress(InvalidArgument):
        plain(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{'a': 'b'}", {"a": "b"}),
        (b"{a: 1, b_c: [true, false, null], $d: 1e5,}", {"a": 1, "b_c": [True, False, None], "$d": 1e5}),
        (b"[1, 2, ]", [1, 2]),
        (b"{'it\\'s': '\"so\"'}", {"it's": '"so"'}),
        (b'{"a": "don\\\'t"}', {"a": "don't"}),
        (b"{'a': 'x, ] y: \\n \\u00e9'}", {"a": "x, ] y: \n é"}),
        (b'{"a": "x, ] \'y\': z",}', {"a": "x, ] 'y': z"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b" \n", {}),
        (b"", {}),
    ],
)
def test_json_as_people_write_it_is_read(body: bytes, value: object) -> None:
    assert plain(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": 1 "b": 2}', "Expected , or } after key:value pair.\n"),
        (b"[1 2]", "Expected , or ] after array value.\n"),
        (b'{"a" 1}', "Expected : between key:value pair.\n"),
        (b'{"a": 1}}', "Parsing terminated before end of input.\n"),
        (b'{"a": ', "Unexpected end of string."),
        (b'{"a": "b', "Unexpected end of string."),
        (b"[1,,]", "Expected a value"),
        (b'{"a": hello}', "Expected a value.\n"),
        (b'{"a": "\xff"}', "Encountered non UTF-8 code points."),
        (b'{"a": 1e999}', "Number exceeds the range of double."),
        (b'{"a": "x\\ud83d y"}', "Illegal unicode code point.\n"),
        (b'{"a": 01}', "Unable to parse number."),
    ],
)
def test_a10_malformed_json_says_what_was_expected(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        wire_json.read(body)

    assert caught.value.message.startswith(f"Invalid JSON payload received. {reason}")


HALF = "é".encode()[:1]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + HALF + b'"}',
        b'{"' + HALF + b'": 1}',
        b"{'a': '" + HALF + b"',}",
        b'{"a": ' + HALF + b"}",
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\x80"}',
        b'{"a": 1}' + HALF,
        b"\xff\xfe{\x00}\x00",
        b'{"a": "' + b"x" * 70_000 + HALF + b'"}',
        b"{'a': '\"data\": \"" + BIG.encode() + HALF + b"\"', 'data': 'x'}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a10_what_is_no_text_is_refused_as_such_wherever_it_stands(body: bytes) -> None:
    with pytest.raises(InvalidArgument) as caught:
        plain(body)

    assert caught.value.message == "Invalid JSON payload received. Encountered non UTF-8 code points."


def test_letters_that_lie_across_two_pieces_are_read() -> None:
    text = "a" + "é" * 100_000

    assert plain(json.dumps({"text": text}, ensure_ascii=False).encode()) == {"text": text}


def test_a10_the_message_points_at_the_place() -> None:
    with pytest.raises(InvalidArgument) as caught:
        wire_json.read(b'{"contents": [{"role": "user" "parts": []}]}')

    _, snippet, pointer = caught.value.message.split("\n")
    assert snippet[pointer.index("^") :].startswith('"parts"')


@pytest.mark.parametrize(
    "body",
    [b"[" * 1_000_000, b"[" * 101 + b"]" * 101, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"['x'," * 5000],
)
def test_deep_nesting_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument, match=r"too deep|Unexpected end|more than 100000 values"):
        wire_json.read(body)


def test_a_hundred_levels_are_read() -> None:
    assert plain(b"[" * 100 + b"]" * 100) is not None
    assert plain(b"[" + b"[[]]," * 500 + b"[]]") is not None


def test_a_large_string_is_not_copied() -> None:
    body = json.dumps({"data": BIG, "other": {"data": "small"}}).encode()

    document = wire_json.read(body)

    letters = document.letters(document.value["data"])
    assert isinstance(letters, memoryview)
    assert letters.obj is body
    assert document.text(document.value["data"]) == BIG


def test_a_large_string_within_single_quotes_leaves_no_trace() -> None:
    told = f'she sent "data": "{BIG}" to me'

    assert plain(f"{{'text': '{told}', 'data': 'x'}}".encode()) == {"text": told, "data": "x"}


def test_a_large_key_value_with_escapes_stays_whole() -> None:
    whole = {"data": BIG + '"data": "' + BIG, 'x"data': BIG, "data ": BIG, "a": {"data": BIG}}

    assert plain(json.dumps(whole).encode()) == whole


def test_a_large_string_with_raw_control_characters_is_refused_where_it_is_read() -> None:
    with pytest.raises(InvalidArgument, match="Control characters"):
        plain(f'{{"data": "{BIG}\n"}}'.encode())


def test_a_large_string_that_is_not_text_is_refused_where_it_is_read() -> None:
    with pytest.raises(InvalidArgument, match="non UTF-8"):
        plain(b'{"data": "\xff' + BIG.encode() + b'"}')


def test_bodies_of_every_buffer_type_are_read() -> None:
    body = json.dumps({"data": BIG}).encode()

    for buffer in (body, bytearray(body), memoryview(body)):
        document = wire_json.read(buffer)
        assert document.plain(document.value) == {"data": BIG}


@pytest.mark.parametrize(
    "body",
    [
        b"'" * 1_000_000,
        b"{" + b"a:'b'," * 60_000 + b"}",
        b"{'x':'" + b'\\n"' * 300_000 + b"'}",
    ],
)
def test_more_repairs_than_a_person_makes_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument, match="strict JSON"):
        wire_json.read(body)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"'" + b"\\n" * 1_000_000 + b"'", "\n" * 1_000_000),
        (b"'" + b'\\"' * 1_000_000 + b"'", '"' * 1_000_000),
        (b"'a\"" + b"b" * 1_000_000 + b"\\n'", 'a"' + "b" * 1_000_000 + "\n"),
        (b"\"a\\'" + b"b" * 1_000_000 + b'\\""', "a'" + "b" * 1_000_000 + '"'),
        (b"\"a\\'" + b"\\\\" * 1_000_000 + b'\\""', "a'" + "\\" * 1_000_000 + '"'),
    ],
    ids=["escapes", "quotes", "a tail", "a tail within quotes", "a tail of escapes"],
)
def test_a_string_by_the_million_is_read_in_one_pass(written: bytes, read: str) -> None:
    assert plain(b"{'x':" + written + b",}") == {"x": read}


@pytest.mark.parametrize(
    "rest", [b"", b"\\", b'\\"', b"'"], ids=["plain", "escape", "escaped", "other quote"]
)
def test_a_string_without_an_end_is_refused_in_one_pass(rest: bytes) -> None:
    with pytest.raises(InvalidArgument, match="Invalid JSON"):
        wire_json.read(b'{"x":"' + b"b" * 1_000_000 + rest)


@pytest.mark.parametrize(
    "many",
    [
        b'{"text":"a"},' * 1_400_000 + b"{}",
        b'"\\"[",' * 300_000 + b"1",
        b"[]," * 130_000 + b"1",
        b"{'a':1}," * 90_000 + b'{"b":1},' * 90_000 + b"1",
    ],
    ids=["objects", "strings", "lists", "lenient"],
)
def test_more_values_than_any_request_needs_are_refused(many: bytes) -> None:
    with pytest.raises(InvalidArgument, match="more than 100000 values in it: send fewer parts"):
        wire_json.read(b'{"contents":[' + many + b"]}")


def test_brackets_and_commas_in_texts_are_no_values() -> None:
    text = '[{"a\\": 1}, ' * 200_000

    assert plain(json.dumps({"text": text, "b": ["]"]}).encode()) == {"text": text, "b": ["]"]}
