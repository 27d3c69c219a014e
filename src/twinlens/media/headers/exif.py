"""The TIFF structure: the orientation in an EXIF block, the size of a TIFF image."""

from __future__ import annotations

from collections.abc import Mapping
from struct import unpack_from

from .upright import OUT_OF_DATA, Foreign, Header, Malformed

_WIDTH, _HEIGHT, _COMPRESSION, _ORIENTATION = 256, 257, 259, 274
_BYTE_ORDERS: Mapping[bytes, str] = {b"II": "<", b"MM": ">"}
_INTEGERS: Mapping[int, str] = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""The field types that hold a whole number, and how to unpack them."""

_NOT_READ: Mapping[int, str] = {
    9: "a JBIG image",
    10: "a JBIG image",
    32809: "a ThunderScan image",
    32908: "a Pixar image",
    33003: "a JPEG 2000 image",
    33004: "a JPEG 2000 image",
    33005: "a JPEG 2000 image",
    34661: "a JBIG image",
    34712: "a JPEG 2000 image",
    34887: "a LERC image",
    50001: "a WEBP image",
    50002: "a JPEG XL image",
    52546: "a JPEG XL image",
}
"""The compressions that there is no decoder for."""

_BIG = 43
_MAX_ENTRIES = 1024
_EXIF_PREFIX = b"Exif\0\0"


def orientation_of(exif: memoryview) -> int:
    """Return the orientation in an EXIF block; 1 where it cannot be read."""
    if bytes(exif[:6]) == _EXIF_PREFIX:
        exif = exif[6:]
    try:
        return _orientation(_first_directory(exif))
    except (*OUT_OF_DATA, Malformed):
        return 1


def read_tiff(data: memoryview) -> Header:
    """Return the size and orientation of the first image of a TIFF file."""
    tags = _first_directory(data)
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise Malformed("does not tell the size")
    if (compression := tags.get(_COMPRESSION, 1)) in _NOT_READ:
        raise Foreign(_NOT_READ[compression])
    return Header(tags[_WIDTH], tags[_HEIGHT], _orientation(tags))


def _orientation(tags: Mapping[int, int]) -> int:
    value = tags.get(_ORIENTATION, 1)
    return value if 1 <= value <= 8 else 1


def _first_directory(data: memoryview) -> dict[int, int]:
    """Parse the single integers of the first directory, by tag."""
    order = _BYTE_ORDERS.get(bytes(data[:2]))
    if order is None:
        raise Malformed("names no byte order")
    big = unpack_from(order + "H", data, 2)[0] == _BIG
    at = unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count = unpack_from(order + ("Q" if big else "H"), data, at)[0]
    first, size = at + (8 if big else 2), 20 if big else 12
    tags: dict[int, int] = {}
    for entry in range(first, first + min(count, _MAX_ENTRIES) * size, size):
        tag, kind = unpack_from(order + "HH", data, entry)
        if kind in _INTEGERS and tag not in tags:
            tags[tag] = unpack_from(order + _INTEGERS[kind], data, entry + (12 if big else 8))[0]
    return tags
