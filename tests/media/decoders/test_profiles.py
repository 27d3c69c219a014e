"""Embedded colour profiles."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from twinlens.media.decoders.profiles import of_jpeg, of_webp, usable

PROFILE = bytes(range(256)) * 300


def encoded(name: str, profile: bytes) -> memoryview:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, name, icc_profile=profile)
    return memoryview(file.getvalue())


def test_a_profile_in_several_pieces_is_joined() -> None:
    """A segment of a JPEG holds 64 KiB at most."""
    assert of_jpeg(encoded("jpeg", PROFILE)) == PROFILE


def test_pieces_are_joined_by_their_numbers() -> None:
    def piece(number: int, content: bytes) -> bytes:
        body = b"ICC_PROFILE\0" + bytes((number, 2)) + content
        return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body

    data = b"\xff\xd8" + piece(2, b"tail") + piece(1, b"head and ") + b"\xff\xda"

    assert of_jpeg(memoryview(data)) == b"head and tail"


def test_a_profile_of_a_webp_is_read() -> None:
    assert of_webp(encoded("webp", PROFILE)) == PROFILE


@pytest.mark.parametrize(
    "profile", [None, b"", b"... sRGB IEC61966-2.1", "sRGB built-in".encode("utf-16-be"), bytes(5 << 20)]
)
def test_a_profile_that_changes_nothing_is_left_out(profile: bytes | None) -> None:
    assert usable(profile) is None


def test_an_image_without_a_profile_has_none() -> None:
    assert of_jpeg(encoded("jpeg", b"")) is None
    assert of_webp(encoded("webp", b"")) is None
