"""JSON that leaves the server: what stands escaped in it, and that it says the same all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlens
from twinlens.wire.encoding import escaped, write

ESCAPED = [
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
]


@pytest.mark.parametrize("code", ESCAPED, ids=hex)
def test_what_ends_lines_or_turns_texts_around_is_escaped(code: int) -> None:
    assert write({"text": f"a{chr(code)}b"}) == b'{"text":"a\\u%04xb"}' % code


@pytest.mark.parametrize("code", [0x7E, 0xA0, 0x2027, 0x202F, 0x205F, 0x2070, 0xFEFE, 0x1F600], ids=hex)
def test_their_neighbours_stand_as_they_are(code: int) -> None:
    assert write(chr(code)) == f'"{chr(code)}"'.encode()


def test_all_of_them_at_once_are_escaped_too() -> None:
    everything = "a".join(map(chr, ESCAPED))

    assert write(everything).isascii()
    assert json.loads(write(everything)) == everything


def test_names_are_escaped_as_values_are() -> None:
    assert write({"a\u2028": {"\x7f": 1}}) == b'{"a\\u2028":{"\\u007f":1}}'


def test_half_a_character_is_escaped() -> None:
    assert write({"\udc00": ["a\ud83d", ("b",)]}) == b'{"\\udc00":["a\\ud83d",["b"]]}'


def test_a_backslash_before_such_a_character_stays_one() -> None:
    assert json.loads(write("\\\u2028")) == "\\\u2028"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_a_reader_finds_what_was_written(value: object) -> None:
    assert json.loads(write(value)) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_line_of_what_is_written_ends_within_it(text: str) -> None:
    assert len(write(text).decode().splitlines()) == 1


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"])))
def test_escaping_twice_changes_nothing(text: str) -> None:
    assert escaped(write(text)) == write(text)


def test_nothing_else_writes_json_for_clients() -> None:
    """What is stored, or told within a sentence, is written by msgspec itself; all else goes through here."""
    wire = Path(twinlens.__file__).parent / "wire"
    others = {
        file.relative_to(wire).as_posix()
        for file in wire.rglob("*.py")
        if "msgspec.json.encode(" in file.read_text()
    }

    assert others == {"encoding.py", "interactions/reading.py", "models.py", "proto.py"}
