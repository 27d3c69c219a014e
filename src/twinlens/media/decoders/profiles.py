"""Embedded colour profiles: where each container keeps one, and whether it says anything new."""

from __future__ import annotations

from ..headers.header import jpeg_segments, webp_chunks

_MAX_BYTES = 4 << 20
_JPEG_MARKER, _JPEG_PREFIX = 0xE2, b"ICC_PROFILE\0"
_SRGB_NAMES = (b"sRGB", "sRGB".encode("utf-16-be"))


def of_jpeg(data: memoryview) -> bytes | None:
    """Join the numbered pieces of the profile in a JPEG file's APP2 segments."""
    pieces: dict[int, bytes] = {}
    start = len(_JPEG_PREFIX)
    for marker, content in jpeg_segments(data):
        if marker == _JPEG_MARKER and bytes(content[:start]) == _JPEG_PREFIX and len(content) > start + 2:
            pieces[content[start]] = bytes(content[start + 2 :])
    return usable(b"".join(pieces[number] for number in sorted(pieces)))


def of_webp(data: memoryview) -> bytes | None:
    """Return the profile in a WEBP file."""
    return usable(
        next((bytes(chunk[:_MAX_BYTES]) for name, chunk in webp_chunks(data) if name == b"ICCP"), None)
    )


def usable(profile: bytes | None) -> bytes | None:
    """Return a profile that changes something; None for one that is sRGB, or larger than 4 MiB."""
    if not profile or len(profile) >= _MAX_BYTES or any(name in profile for name in _SRGB_NAMES):
        return None
    return profile
