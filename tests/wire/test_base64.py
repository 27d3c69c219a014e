from __future__ import annotations

import base64 as standard
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlens.wire import base64


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_a8_every_spelling_gives_the_same_bytes(data: bytes, url_safe: bool, padded: bool) -> None:
    letters = standard.urlsafe_b64encode(data) if url_safe else standard.b64encode(data)
    letters = letters if padded else letters.rstrip(b"=")

    assert base64.decode(letters) == data
    assert base64.decode(memoryview(letters)) == data
    assert base64.decode(letters.decode()) == data


@settings(max_examples=100, deadline=None)
@given(
    st.binary(min_size=1, max_size=200),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from([" ", "\t", "\n", "\r\n"])), max_size=9),
)
def test_white_space_anywhere_changes_nothing(
    data: bytes, url_safe: bool, padded: bool, spaces: list[tuple[int, str]]
) -> None:
    letters = (standard.urlsafe_b64encode(data) if url_safe else standard.b64encode(data)).decode()
    letters = letters if padded else letters.rstrip("=")
    for at, space in spaces:
        letters = letters[:at] + space + letters[at:]

    assert base64.decode(letters) == data
    assert base64.decode(memoryview(letters.encode())) == data


@pytest.mark.parametrize("extra", range(5))
@pytest.mark.parametrize("encode", [standard.b64encode, standard.urlsafe_b64encode])
@pytest.mark.parametrize("ending", [b"", b"\r\n", b" " * (base64.CHUNK + 3)])
def test_large_data_in_lines_of_76_letters_is_decoded(
    extra: int, encode: Callable[[bytes], bytes], ending: bytes
) -> None:
    data = random.Random(extra).randbytes(base64.CHUNK * 2 + extra)
    letters = encode(data)
    lines = b"\r\n".join(letters[at : at + 76] for at in range(0, len(letters), 76))

    assert base64.decode(memoryview(lines + ending)) == data


@pytest.mark.parametrize("extra", range(5))
@pytest.mark.parametrize("strip", [b"", b"="])
def test_large_url_safe_data_is_decoded_across_chunks(extra: int, strip: bytes) -> None:
    data = random.Random(extra).randbytes(base64.CHUNK + extra)

    assert base64.decode(standard.urlsafe_b64encode(data).rstrip(strip)) == data


def test_both_alphabets_may_be_mixed() -> None:
    assert base64.decode(b"+/-_") == b"\xfb\xff\xbf"


@pytest.mark.parametrize(
    "letters",
    [
        "!!!!",
        "AAA AA",
        "AA==AAAA",
        "AA= =A",
        "AAAA\x0b",
        "A",
        "====",
        "AAAA====",
        "AA=A",
        "é",
        "AAAAA",
        "-_=="[:3] + "-",
    ],
)
def test_g1_what_is_not_base64_gives_nothing(letters: str) -> None:
    assert base64.decode(letters) is None


def test_padding_at_the_end_of_a_chunk_is_not_the_end() -> None:
    letters = b"-" * (base64.CHUNK - 2) + b"==" + b"AAAA"

    assert base64.decode(letters) is None
