"""Text files: encodings, line ends, what is taken out, and what is no text."""

from __future__ import annotations

import pytest

import clips
import images
import pdfs
from twinlens.media.decoders import text
from twinlens.media.decoders.unreadable import Unreadable

GREETING = "Grüße, Welt €5"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-32-be", b"\0\0\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
    ],
)
def test_encodings_are_told_by_the_bytes(encoding: str, mark: bytes) -> None:
    assert text.read(mark + GREETING.encode(encoding), "text/plain") == GREETING


@pytest.mark.parametrize(
    ("words", "encoding", "label"),
    [
        ("Привет", "koi8-r", "text/plain; charset=koi8-r"),
        ("Привет", "cp1251", 'Text/Plain; format=flowed; CHARSET="windows-1251"'),
        ("日本語", "shift_jis", "text/csv;charset=Shift_JIS"),
        ("中文", "gb18030", "text/plain; charset=gb2312"),
        ("“quoted”", "cp1252", "text/plain; charset=iso-8859-1"),
        ("grüße", "utf-8", "text/plain; charset=nonsense"),
        ("grüße", "utf-8", "text/plain; charset=us-ascii; x"),
    ],
)
def test_a_declared_encoding_is_believed_where_it_fits(words: str, encoding: str, label: str) -> None:
    assert text.read(words.encode(encoding), label) == words or "ascii" in label


@pytest.mark.parametrize(
    ("mime_type", "head"),
    [
        ("text/html", '<meta charset="koi8-r">'),
        ("text/html", '<meta http-equiv=Content-Type content="text/html; charset=koi8-r">'),
        ("application/xml", '<?xml version="1.0" encoding="koi8-r"?>'),
        ("application/xhtml+xml", "<?xml version='1.0' encoding='koi8-r'?>"),
    ],
)
def test_a_document_may_declare_its_encoding_itself(mime_type: str, head: str) -> None:
    document = head + "<p>Привет</p>"

    assert text.read(document.encode("koi8-r"), mime_type) == document


def test_a_byte_that_is_wrong_does_not_change_the_encoding() -> None:
    data = "ä ö ü é è ê".encode() + b" \xff"

    assert text.read(data, "text/plain") == "ä ö ü é è ê \ufffd"


def test_line_ends_become_one_kind() -> None:
    assert text.read("a\r\nb\rc\nd\x0ce\u2028f".encode(), "text/plain") == "a\nb\nc\nd\ne\nf"


@pytest.mark.parametrize(
    "mime_type",
    [
        *("text/csv", "application/csv", "application/vnd.ms-excel", "text/tab-separated-values"),
        *("application/json", "application/geo+json", "application/x-ndjson", "application/jsonl"),
    ],
)
def test_records_end_at_cr_and_lf_alone(mime_type: str) -> None:
    data = "a\u2028b\u2029c\x0bd\x0ce\x85f\r\ng\rh\ni"

    assert text.read(data.encode(), mime_type) == "a\u2028b\u2029c\x0bd\x0cef\ng\nh\ni"


def test_characters_that_nobody_sees_are_taken_out() -> None:
    assert text.read(b"\x1b[1mbold\x1b[0m, a\tb\0", "text/plain") == "[1mbold[0m, a\tb"


@pytest.mark.parametrize("mime_type", ["text/html", "text/csv", "application/json", "text/markdown"])
def test_markup_is_kept(mime_type: str) -> None:
    data = '# <b>"a", {b: 1}</b> {\\rtf1 no}'

    assert text.read(data.encode(), mime_type) == data


@pytest.mark.parametrize("mime_type", ["text/rtf", "application/rtf", "Application/RTF; charset=utf-8"])
def test_rtf_gives_its_text(mime_type: str) -> None:
    assert text.read(b"{\\rtf1 Hi\\'e4\\par}", mime_type) == "Hiä\n"


def test_rtf_that_is_labelled_text_is_kept_and_text_that_is_labelled_rtf_too() -> None:
    assert text.read(b"{\\rtf1 a}", "text/plain") == "{\\rtf1 a}"
    assert text.read(b"plain", "text/rtf") == "plain"


def test_nothing_is_a_text() -> None:
    assert text.read(b"", "text/plain") == ""


@pytest.mark.parametrize(
    "words", ["BMW builds cars.", "GIF87a is a signature.", "a", "\u00e9", "é" * 3, "\t\n"]
)
def test_a_text_may_start_like_another_kind_of_file(words: str) -> None:
    assert text.read(words.encode(), "text/plain") == words


@pytest.mark.parametrize(
    "data",
    [
        clips.pdf(),
        pdfs.scan(),
        images.make("png"),
        images.make("jpeg"),
        clips.video("webm"),
        clips.audio("mkv"),
        b"PK\x03\x04 plain",
        bytes(1000),
        bytes(range(256)) * 4,
    ],
)
@pytest.mark.parametrize("mime_type", ["text/plain", "application/rtf", "text/plain; charset=utf-8"])
def test_other_data_is_no_text(data: bytes, mime_type: str) -> None:
    with pytest.raises(Unreadable) as caught:
        text.read(data, mime_type)

    assert caught.value.reason == "foreign"
