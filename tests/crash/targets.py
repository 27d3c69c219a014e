"""Files of every kind that takes a demuxer or a parser, small enough to be damaged by the thousand.

Each comes with the places of its numbers (see `damage.py`), which random changes seldom hit.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import clips
import pdfs
from crash.damage import Numbers
from pdfs import Page, column, jpeg, text_at

SECONDS = 1
PAGE_TOKENS = 8
"""Of a page: what it is drawn at is no target."""


@dataclass(frozen=True)
class Target:
    """How a file is made, what it is labelled as, and what else its part says: each of `more` in turn.

    `mend` makes the sums right that a damaged file is else told by, and passed over for.
    """

    make: Callable[[], bytes]
    mime_type: str
    numbers: Numbers
    more: Sequence[Mapping[str, object]]
    mend: Callable[[bytes], bytes] = bytes


def _numbers(*patterns: bytes) -> Numbers:
    return [re.compile(pattern, re.DOTALL) for pattern in patterns]


_BOXES = _numbers(
    rb"(.{4})(?:ftyp|moov|mvhd|trak|tkhd|edts|elst|mdia|mdhd|hdlr|minf|stbl|stsd|stts|ctts|stsc|stsz|stco)",
    rb"(.{4})(?:stss|sgpd|sbgp|udta|meta|ilst|mdat|moof|mfhd|traf|tfhd|tfdt|trun|sidx|mfra|tfra|mvex|trex)",
    rb"(?:mvhd|tkhd|elst|mdhd|hdlr|stts|ctts|stsc|stsz|stco|stss|stsd|trun|tfhd|tfdt|trex|tfra)(.{40})",
    rb"(?:avcC|hvcC|av1C|esds|mp4a|avc1|mp4v|hvc1|hev1|av01|btrt)(.{32})",
)
_EBML = _numbers(
    rb"(?:\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x11\x4d\x9b\x74|\x15\x49\xa9\x66|\x16\x54\xae\x6b)(.{8})",
    rb"(?:\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|\x2a\xd7\xb1|\x44\x89|\x63\xa2|\x55\xb0)(.{8})",
    rb"[\xae\xe0\xe1\xa3\xa0\xa1\xb0\xba\xe7\xbb\xb3\xd7\x9f](.{8})",
)
_CHUNKS = _numbers(
    rb"(?:RIFF|LIST|JUNK|avih|strh|strf|idx1|movi|fmt |data|00dc|01wb|FORM|COMM|SSND)(.{4})",
    rb"(?:avih|strh|strf|idx1|fmt |COMM|SSND)(.{40})",
)
_OBJECTS = _numbers(rb"[\xcf\xd0\xd1\xd2]\x11.{8}(.{32})", rb"\x82\x00\x00(.{16})")
_TAGS = _numbers(
    rb"[\x08\x09\x12](.{8})", rb"(?:duration|filesize|width|height|framerate|audiosamplerate)\x00(.{8})"
)
_PACKS = _numbers(rb"\x00\x00\x01[\xb3-\xef](.{8})", rb"\x00\x00\x01\x00(.{8})")
_PACKETS = _numbers(rb"\x47(.{8})", rb"\x00\x00\x01[\xc0-\xef](.{12})")
_OGG = _numbers(rb"OggS(.{23})", rb"(?:vorbis|OpusHead)(.{24})")
_FLAC = _numbers(rb"fLaC(.{40})", rb"\xff\xf8(.{8})")
_MP3 = _numbers(rb"\xff\xfb(.{4})", rb"(?:Info|Xing)(.{16})", rb"ID3(.{8})")
_AAC = _numbers(rb"\xff\xf1(.{6})")
_PDF = _numbers(
    rb"/(?:Length|Count|Size|Width|Height|Rotate|BitsPerComponent|N|First|Prev|Predictor|Colors) (-?\d+)",
    rb"(\d+) 0 R",
    rb"(\d+) 0 obj",
    rb"Box ?\[ ?(-?\d+)",
    rb"Box ?\[[^\]]*?(\d+) ?\]",
    rb"(\d{10}) 00000",
    rb"startxref\n(\d+)",
    rb"xref\n0 (\d+)",
    rb"(-?[\d.]+) (?:Tf|Td|cm|re|Tr|w|l|m)\b",
    rb"/W \[(\d+)",
)
_RTF = _numbers(rb"\\[a-z]+(-?\d+)", rb"\\('..)")
_LETTERS = _numbers(rb"(..)")


def _video(container: str, numbers: Numbers, **more: Any) -> Target:
    # The muxers' tables are the target, not the length: more pictures, and more sound, are more of the same.
    make = partial(clips.video, container, seconds=SECONDS, fps=10, size=(64, 48), sound=True, **more)
    return Target(make, clips.CONTAINERS[container].mime_type, numbers, _CLIPS)


def _sound(kind: str, numbers: Numbers, mend: Callable[[bytes], bytes] = bytes) -> Target:
    # The encoder of Vorbis knows two channels only.
    make = partial(clips.sound, kind, _WAVES, _RATE)
    return Target(make, clips.SOUNDS[kind].mime_type, numbers, _CLIPS, mend)


def _with_sums(data: bytes) -> bytes:
    """Write the sums of Ogg pages anew, of those that are still found."""
    head, *pages = data.split(b"OggS")
    return b"OggS".join([head, *(page[:18] + _sum_of(page) + page[22:] for page in pages)])


def _sum_of(page: bytes) -> bytes:
    found = 0
    for byte in b"OggS" + page[:18] + bytes(4) + page[22:]:
        found = (found << 8 & 0xFFFFFFFF) ^ _SUMS[found >> 24 ^ byte]
    return found.to_bytes(4, "little")


def _row(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 * (value >> 31)) & 0xFFFFFFFF
    return value


_SUMS = [_row(value) for value in range(256)]
"""The table of CRC-32 as Ogg counts it: no bit is turned."""


_CLIPS: Sequence[Mapping[str, object]] = (*[{"videoMetadata": {"endOffset": "2s", "fps": 8}}] * 3, {})
"""Of what says that it lasts for hours, little is looked at mostly, and now and then all."""

_RATE = 12_000
_WAVES = np.sin(np.arange(_RATE * SECONDS) * 0.1)[None].repeat(2, 0) * 0.5


def _document(make: Callable[[], bytes]) -> Target:
    return Target(make, "application/pdf", _PDF, [{"mediaResolution": {"numTokens": PAGE_TOKENS}}])


def _text(data: bytes, mime_type: str, numbers: Numbers = _LETTERS) -> Target:
    return Target(lambda: data, mime_type, numbers, [{}])


def _table() -> bytes:
    """Make a page with a table, lines and text that is turned, and one that is cropped and turned."""
    rows = "".join(column([f"Row {row}", "12.50", "7"], 72 + 90 * row, 700) for row in range(4))
    rules = "".join(f"60 {at} m 500 {at} l S " for at in (690, 676, 660))
    turned = "BT /F 12 Tf 0 1 -1 0 300 300 Tm (Turned) Tj ET "
    return pdfs.document(
        [
            Page(rows + rules + turned),
            Page(text_at("Cropped", 150, 650), extra="/Rotate 90 /CropBox [100 600 400 700]"),
        ]
    )


def _form() -> bytes:
    field = "<< /Type /Annot /Subtype /Widget /Rect [9 9 90 90] /FT /Tx /T (a) /V (b) >>"
    return pdfs.document(
        [Page("/OC /L BDC 1 0 0 rg 9 9 90 90 re f EMC", extra=f"/Annots [{field}]")],
        catalog="/AcroForm << /Fields [] /NeedAppearances true >>",
        encrypted=True,
    )


def _packed() -> bytes:
    """Make a document as most programs write it: objects and the table of places in compressed streams."""
    inside = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 5 0 R /Resources 4 0 R >>",
        "<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>",
    )
    at = [sum(len(other) + 1 for other in inside[:number]) for number in range(len(inside))]
    heads = " ".join(f"{number} {place}" for number, place in enumerate(at, start=1)) + "\n"
    body, places = b"%PDF-1.5\n", []
    for number, (entries, content) in enumerate(
        [
            ("", text_at("Packed", 20, 50)),
            (f"/Type /ObjStm /N {len(inside)} /First {len(heads)}", heads + "\n".join(inside) + "\n"),
        ],
        start=5,
    ):
        places.append(len(body))
        body += _packed_object(number, entries, content.encode())
    rows = [(0, 0, 65_535), *((2, 6, index) for index in range(4)), *((1, place, 0) for place in places)]
    rows.append((1, len(body), 0))
    table = b"".join(kind.to_bytes(1) + place.to_bytes(4) + index.to_bytes(2) for kind, place, index in rows)
    start = len(body)
    body += _packed_object(7, f"/Type /XRef /Size {len(rows)} /Root 1 0 R /W [1 4 2]", table)
    return body + b"startxref\n%d\n%%%%EOF\n" % start


def _packed_object(number: int, entries: str, content: bytes) -> bytes:
    data = zlib.compress(content)
    head = f"{number} 0 obj\n<< {entries} /Filter /FlateDecode /Length {len(data)} >>\nstream\n"
    return head.encode() + data + b"\nendstream\nendobj\n"


_RTF_TEXT = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fcharset204 Arial;}
{\f2\fcharset128 Mincho;}}{\*\generator Writer;}\pard Caf\'e9 \b bold\b0  text\par {\f1 \'cf\'f0\'e8}\par
{\f2 \'93\'fa\'96\'7b}\line\u8364? \uc0\u-10179 \u-8704 \bin3 abc end\par}"""
_HTML_TEXT = """<!DOCTYPE html><html><head><meta charset="windows-1251"><title>Привет</title></head>
<body><table><tr><td>1</td><td>2</td></tr></table><p>Текст &amp; more</p></body></html>"""

TARGETS: Mapping[str, Target] = {
    "mp4": _video("mp4", _BOXES),
    "mp4 in fragments": _video("mp4", _BOXES, streamed=True),
    "mp4 of hevc": _video("mp4", _BOXES, codec="libx265"),
    "mp4 of av1": _video("mp4", _BOXES, codec="libsvtav1"),
    "mov": _video("mov", _BOXES, rotation=90),
    "3gp": _video("3gp", _BOXES),
    "webm": _video("webm", _EBML),
    "webm of vp9": _video("webm", _EBML, codec="libvpx-vp9", streamed=True),
    "mkv": _video("mkv", _EBML),
    "avi": _video("avi", _CHUNKS),
    "flv": _video("flv", _TAGS),
    "wmv": _video("wmv", _OBJECTS),
    "mpeg": _video("mpeg", _PACKS),
    "ts": _video("ts", _PACKETS),
    "wav": _sound("wav", _CHUNKS),
    "mp3": _sound("mp3", _MP3),
    "aiff": _sound("aiff", _CHUNKS),
    "aac": _sound("aac", _AAC),
    "ogg": _sound("ogg", _OGG, _with_sums),
    "flac": _sound("flac", _FLAC),
    "m4a": _sound("m4a", _BOXES),
    "opus": _sound("opus", _OGG, _with_sums),
    "webm of sound": _sound("webm", _EBML),
    "pdf": _document(partial(clips.pdf, 2)),
    "pdf of tables": _document(_table),
    "pdf of scans": _document(partial(pdfs.scan, of=jpeg((96, 128), text="Scan"))),
    "pdf of forms": _document(_form),
    "pdf of packed objects": _document(_packed),
    "rtf": _text(_RTF_TEXT, "application/rtf", _RTF),
    "html": _text(_HTML_TEXT.encode("cp1251"), "text/html"),
    "utf-16": _text("Grüße, 世界 and \U0001f600\n".encode("utf-16") * 3, "text/plain"),
}
"""All kinds, by what a test calls them."""
