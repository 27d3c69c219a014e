"""The orientation in an EXIF block, and the size of a TIFF image."""

from __future__ import annotations

import struct

import pytest

import images
from twinlens.media.headers.exif import orientation_of, read_tiff
from twinlens.media.headers.upright import Foreign, Malformed


def block(order: str, **tags: int) -> memoryview:
    """Write a TIFF structure with one directory of short numbers, by tag."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    numbers = {int(name[1:]): value for name, value in tags.items()}
    entries = b"".join(
        struct.pack(f"{order}HHIHxx", tag, 3, 1, value) for tag, value in sorted(numbers.items())
    )
    return memoryview(head + struct.pack(f"{order}H", len(numbers)) + entries + bytes(4))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_the_orientation_is_read_in_either_byte_order(order: str, prefix: bytes) -> None:
    assert orientation_of(memoryview(prefix + bytes(block(order, _274=6)))) == 6


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif\0\0", b"II", b"XX*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff", bytes(block("<", _274=9))],
)
def test_a_block_that_says_nothing_says_upright(exif: bytes) -> None:
    assert orientation_of(memoryview(exif)) == 1


def test_a_directory_without_an_end_is_read_up_to_a_limit() -> None:
    endless = b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 0xFFFF)

    assert orientation_of(memoryview(endless)) == 1


def test_a_tiff_image_is_measured() -> None:
    header = read_tiff(memoryview(images.make("tiff", 40, 30)))

    assert (header.width, header.height) == (40, 30)


def test_a_tiff_image_without_a_size_is_malformed() -> None:
    with pytest.raises(Malformed):
        read_tiff(block("<", _256=40))


def test_a_compression_that_is_not_read_is_named() -> None:
    with pytest.raises(Foreign, match="a JPEG XL image"):
        read_tiff(block("<", _256=40, _257=30, _259=50002))
