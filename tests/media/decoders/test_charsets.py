"""Character encodings, by whatever name they are called."""

from __future__ import annotations

import pytest

from twinlens.media.decoders.charsets import codec_of


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        (' "utf8" ', "utf-8"),
        ("windows-1251", "cp1251"),
        ("koi8-r", "koi8-r"),
        ("big5", "big5"),
    ],
)
def test_an_encoding_has_many_names(name: str, codec: str) -> None:
    found = codec_of(name)

    assert found is not None
    assert found.name == codec


@pytest.mark.parametrize(
    ("name", "codec"),
    [("latin-1", "cp1252"), ("us-ascii", "cp1252"), ("gb2312", "gb18030"), ("euc-kr", "cp949")],
)
def test_an_encoding_is_read_as_the_one_that_contains_it(name: str, codec: str) -> None:
    found = codec_of(name)

    assert found is not None
    assert found.name == codec


@pytest.mark.parametrize("name", [None, "", "klingon", "rot13", "base64", "idna", "x" * 41, "../etc"])
def test_what_is_no_encoding_of_texts_is_not_known(name: str | None) -> None:
    assert codec_of(name) is None
