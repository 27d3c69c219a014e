"""RTF: the text that its readers see, and patience with what is broken."""

from __future__ import annotations

from random import Random

import pytest

from twinlens.media.decoders import rtf

DOCUMENT = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fcharset204 Arial;}
{\f2\fcharset128 Mincho;}}{\colortbl;\red255\green0\blue0;}{\*\generator Writer;}{\info{\title Hidden}}
\pard\sa200 Caf\'e9 \b bold\b0  text\par
{\f1 \'cf\'f0\'e8}\par {\f2 \'93\'fa\'96\'7b}\line\u8364? \uc0\u-10179 \u-8704 end\par}"""


def body(content: bytes) -> str:
    return rtf.read(b"{\\rtf1\\ansi " + content + b"}")


def test_a_document_gives_its_text() -> None:
    assert rtf.read(DOCUMENT) == "Café bold text\nПри\n日本\n€ \U0001f600end\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb"a\par b\line c\tab d", "a\nb\nc\td"),
        (rb"a\~b\_c\-d", "a\u00a0b-cd"),
        (rb"\{a\}\\", "{a}\\"),
        (rb"\lquote a\rquote\emdash\ldblquote b\rdblquote", "‘a’—“b”"),
        (rb"one\cell two\cell\row", "one\ttwo\t\n"),
        (rb"{\header Top}{\footer Foot}{\pict 0102}body", "body"),
        (rb'{\field{\*\fldinst HYPERLINK "http://x"}{\fldrslt link}}', "link"),
        (b"a\\bin5 }}{{\\b", "ab"),
        (rb"\u228\'e4x\uc2\u228??y", "äxäy"),
        (rb"{\uc0\u228}\u228?x", "ääx"),
        (b"line\r\nbroken", "linebroken"),
        (b"a\\\nb", "a\nb"),
        (rb"\unknownword7 a{\*\unknown b}c", "ac"),
    ],
)
def test_each_word_is_obeyed(content: bytes, text: str) -> None:
    assert body(content) == text


@pytest.mark.parametrize("page", [b"1250", b"437", b"65001", b"99999", b"-1"])
def test_code_pages_known_or_not_give_text(page: bytes) -> None:
    assert rtf.read(b"{\\rtf1\\ansicpg" + page + b" a}") == "a"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"}}}}",
        b"{" * 10_000,
        b"\\",
        b"\\'",
        b"\\'g1",
        b"\\bin",
        b"\\bin9999999999 x",
        b"\\u",
        b"\\u99999 ",
    ],
)
def test_what_is_broken_is_passed_over(content: bytes) -> None:
    assert isinstance(body(content), str)


def test_damage_costs_nothing_but_text() -> None:
    random = Random(3)
    for _ in range(200):
        damaged = bytearray(DOCUMENT)
        for _ in range(10):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        rtf.read(bytes(damaged)).encode()
