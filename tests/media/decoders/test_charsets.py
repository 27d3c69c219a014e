"""Texts that name no charset: what is told by how they look, and what is left to Windows-1252."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

import tongues
from twinlens.media.decoders import text
from twinlens.media.decoders.charsets import codec_of, likely_codec
from twinlens.media.decoders.unreadable import Unreadable

PIECES = 20
POLISH = (
    "Wczoraj wieczorem poszliśmy na długi spacer nad rzekę, gdzie było już ciemno i cicho. "
    "Mój brat znalazł żółtą łódkę, którą ktoś zostawił pod mostem. "
)


def pieces(words: str, count: int) -> list[str]:
    """Cut pieces of so many letters out of a text, all over it."""
    return [tongues.letters(words, count, index * len(words) // PIECES) for index in range(PIECES)]


@pytest.mark.parametrize("count", [25, 100, 2000])
@pytest.mark.parametrize(("charset", "words"), tongues.CHARSETS.items())
def test_a_charset_that_is_not_named_is_told_by_the_text(charset: str, words: str, count: int) -> None:
    for piece in pieces(words, count):
        assert text.read(piece.encode(charset), "text/plain") == piece


@pytest.mark.parametrize("count", [12, 25, 50, 100, 2000])
@pytest.mark.parametrize("words", tongues.WESTERN.values(), ids=tongues.WESTERN)
def test_western_texts_are_windows_1252(words: str, count: int) -> None:
    for piece in pieces(words, count):
        assert text.read(piece.encode("cp1252"), "text/plain") == piece


def test_another_latin_encoding_is_told_from_a_few_lines() -> None:
    assert text.read(POLISH.encode("cp1250"), "text/plain") == POLISH


@pytest.mark.parametrize("mark", ["text/plain; charset=koi8-r", "text/plain; charset=KOI8-R; format=flowed"])
def test_a_label_is_believed_rather_than_the_look(mark: str) -> None:
    data = tongues.RUSSIAN.encode("cp1251")

    assert text.read(data, mark) == data.decode("koi8-r")


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("words", tongues.CHARSETS.values(), ids=tongues.CHARSETS)
def test_unicode_is_not_guessed_at(words: str, charset: str) -> None:
    assert text.read(words.encode(charset), "text/plain") == words


@pytest.mark.parametrize("mime_type", ["text/csv", "application/json", "text/html", "text/markdown"])
def test_the_kind_of_text_does_not_matter(mime_type: str) -> None:
    document = '[{"name": "Наталья", "city": "Псков"}, {"name": "Сергей", "city": "Омск"}]'

    assert text.read(document.encode("cp1251"), mime_type) == document


def test_a_text_may_begin_with_much_that_says_nothing() -> None:
    words = "a" * 300_000 + tongues.RUSSIAN

    assert text.read(words.encode("koi8-r"), "text/plain") == words


@pytest.mark.parametrize("shift", range(4))
def test_the_end_of_what_is_looked_at_may_cut_a_letter_in_two(shift: int) -> None:
    words = "a" * shift + tongues.letters(tongues.JAPANESE, 80_000)

    assert text.read(words.encode("euc_jp"), "text/plain") == words


def test_a_wrong_byte_far_behind_is_one_wrong_letter() -> None:
    words = tongues.letters(tongues.KOREAN, 80_000)

    assert text.read(words.encode("euc_kr") + b"\xff", "text/plain") == words + "\ufffd"


def test_only_the_beginning_is_looked_at() -> None:
    """Whatever comes behind changes nothing, so no text takes longer than 64 KiB of it do."""
    data = tongues.letters(tongues.TRADITIONAL, 40_000).encode("big5")
    found = likely_codec(data)

    assert found is not None
    assert likely_codec(data + random.Random(0).randbytes(2_000_000)) == found


def test_random_bytes_are_no_text() -> None:
    with pytest.raises(Unreadable):
        text.read(random.Random(0).randbytes(100_000), "text/plain")


def test_nothing_is_opened_once_the_detector_is_loaded() -> None:
    code = (
        "import resource, sys\n"
        f"sys.path.append({str(Path(tongues.__file__).parent)!r})\n"
        "import tongues\n"
        "from twinlens.media.decoders import charsets, text\n"
        "charsets.load_detector()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "for name, words in tongues.CHARSETS.items():\n"
        "    for count in (1, 5, 25, 100, 2000, 100_000):\n"
        "        text.read(tongues.letters(words, count).encode(name), 'text/plain')\n"
        "data = bytes(range(256))\n"
        "for size in (10, 1000, 100_000):\n"
        "    for first in range(0, 256, 5):\n"
        "        charsets.likely_codec((data[first:] * (size // 200 + 1))[:size])\n"
        "print('done')"
    )

    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)

    assert (ended.stdout, ended.stderr) == ("done\n", "")


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
