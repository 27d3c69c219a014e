"""What the headers of image formats say."""

from __future__ import annotations

import struct

import pytest

import images
from twinlens.media.headers.header import jpeg_segments, read, webp_chunks
from twinlens.media.headers.sniff import image_type_of
from twinlens.media.headers.upright import Malformed


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif", "bmp", "tiff"])
def test_each_format_is_measured(name: str) -> None:
    data = memoryview(images.make(name, 40, 30))
    row = image_type_of(data)
    assert row is not None

    header = read(row, data)

    assert (header.width, header.height, header.orientation) == (40, 30, 1)


def test_the_segments_of_a_jpeg_end_with_its_scan() -> None:
    data = memoryview(images.make("jpeg"))

    *_, (marker, scan) = jpeg_segments(data)

    assert marker == 0xDA
    assert bytes(scan[-2:]) == b"\xff\xd9"


def test_what_stands_before_a_marker_is_passed_over() -> None:
    segment = b"\xff\xff\xe0" + struct.pack(">H", 4) + b"hi"
    data = memoryview(b"\xff\xd8" + b"junk" + segment + b"\xff\xda")

    assert [(marker, bytes(content)) for marker, content in jpeg_segments(data)] == [
        (0xE0, b"hi"),
        (0xDA, b""),
    ]


def test_a_jpeg_that_ends_before_its_scan_is_malformed() -> None:
    with pytest.raises(Malformed, match="without pixels"):
        list(jpeg_segments(memoryview(b"\xff\xd8\xff\xd9")))


def test_the_chunks_of_a_webp_are_at_even_places() -> None:
    odd = b"ODD " + struct.pack("<I", 3) + b"abc\0"
    data = memoryview(b"RIFF\0\0\0\0WEBP" + odd + b"NEXT" + struct.pack("<I", 1) + b"d")

    assert [(name, bytes(content)) for name, content in webp_chunks(data)] == [
        (b"ODD ", b"abc"),
        (b"NEXT", b"d"),
    ]


@pytest.mark.parametrize(
    ("format_", "data", "why"),
    [
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDX" + bytes(20), "does not start with the size"),
        ("webp", b"RIFF\0\0\0\0WEBP", "does not tell the size"),
        ("webp", b"RIFF\0\0\0\0WEBPVP8 " + struct.pack("<I", 10) + bytes(10), "lacks its start code"),
    ],
)
def test_a_header_that_contradicts_itself_is_malformed(format_: str, data: bytes, why: str) -> None:
    row = image_type_of(images.make(format_))
    assert row is not None

    with pytest.raises(Malformed, match=why):
        read(row, memoryview(data))
