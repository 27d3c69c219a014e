"""The size and turn of a HEIF image, from its boxes."""

from __future__ import annotations

import pytest

import images
from twinlens.media.headers.heif import read
from twinlens.media.headers.upright import OUT_OF_DATA, Foreign, Malformed

HEVC = frozenset({b"hvc1", b"hev1"})


def test_the_size_is_that_of_the_picture() -> None:
    header = read(memoryview(images.make("heif", 64, 48)), HEVC)

    assert (header.width, header.height) == (64, 48)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_are_read_as_exif_has_them(orientation: int) -> None:
    header = read(memoryview(images.make_turned("heif", orientation)), HEVC)

    assert header.orientation == orientation
    assert header.upright == (128, 64)


@pytest.mark.parametrize(("sort", "picture"), [(b"av01", "an AV1 image"), (b"jpeg", "a JPEG image")])
def test_a_sort_that_is_not_read_is_named(sort: bytes, picture: str) -> None:
    with pytest.raises(Foreign, match=picture):
        read(memoryview(images.heif_of(sort)), HEVC)


@pytest.mark.parametrize("length", [0, 40, 100, 200])
def test_a_header_that_breaks_off_is_no_header(length: int) -> None:
    with pytest.raises((*OUT_OF_DATA, Malformed)):
        read(memoryview(images.make("heif"))[:length], HEVC)
