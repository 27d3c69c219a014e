"""What the header of each image format says: the stored size, and the turn that makes it upright.

Nothing here allocates in proportion to the body or loops without a bound. A read past the end raises
one of `OUT_OF_DATA`; a header that contradicts itself raises `Malformed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from struct import unpack_from

from ...domain.media_types import MediaType
from . import exif, heif
from .upright import MAX_PARTS, Foreign, Header, Malformed

__all__ = ["Header", "Malformed", "jpeg_segments", "read", "webp_chunks"]

# ITU T.81 table B.1: every start-of-frame marker; C4, C8 and CC in between are something else.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS_MARKERS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_HIERARCHICAL_MARKERS = frozenset({0xC5, 0xC6, 0xCD, 0xCE})
_SCAN_MARKER, _END_MARKER, _EXIF_MARKER = 0xDA, 0xD9, 0xE1
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_WINDOW = 4096


def read(row: MediaType, data: memoryview) -> Header:
    """Return the size and orientation of an image whose type is known."""
    if row.codings:
        return heif.read(data, row.codings)
    return _READERS[row.header or row.decoder](data)


def jpeg_segments(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the marker and content of each segment; the first scan is last, with all that follows it."""
    at = 2
    for _ in range(MAX_PARTS):
        window = bytes(data[at : at + _WINDOW])
        if not window:
            raise IndexError
        # Any bytes before a marker, and any number of FF as its prefix, are skipped as decoders do.
        found = window.find(b"\xff")
        if found < 0 or window[found + 1 : found + 2] in (b"\xff", b""):
            at += len(window) if found < 0 else found + 1
            continue
        marker = window[found + 1]
        at += found + 2
        if marker == 0 or marker in _BARE_MARKERS:
            continue
        if marker == _END_MARKER:
            raise Malformed("comes without pixels")
        if marker == _SCAN_MARKER:
            yield marker, data[at:]
            return
        length = unpack_from(">H", data, at)[0]
        yield marker, data[at + 2 : at + length]
        at += max(length, 2)
    raise Malformed("has too many parts")


def webp_chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and content of each chunk of a WEBP file."""
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        size = unpack_from("<I", data, at + 4)[0]
        yield bytes(data[at : at + 4]), data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def _jpeg(data: memoryview) -> Header:
    size: tuple[int, int] | None = None
    orientation = None
    for marker, content in jpeg_segments(data):
        if marker in _FRAME_MARKERS and size is None:
            _check_process(marker, content[0])
            height, width = unpack_from(">HH", content, 1)
            size = width, height
        elif marker == _EXIF_MARKER and orientation is None and bytes(content[:4]) == b"Exif":
            orientation = exif.orientation_of(content)
    if size is None:
        raise Malformed("does not tell the size")
    return Header(*size, orientation or 1)


def _check_process(marker: int, bits: int) -> None:
    """Raise `Foreign` for the JPEG processes that hardly any decoder supports."""
    if marker in _LOSSLESS_MARKERS:
        raise Foreign("a lossless image")
    if marker in _HIERARCHICAL_MARKERS:
        raise Foreign("a hierarchical image")
    if bits in (12, 16):
        raise Foreign(f"an image of {bits} bits a channel")


def _png(data: memoryview) -> Header:
    if bytes(data[12:16]) != b"IHDR":
        raise Malformed("does not start with the size")
    width, height = unpack_from(">II", data, 16)
    return Header(width, height, _png_orientation(data))


def _png_orientation(data: memoryview) -> int:
    """Return the orientation in an eXIf chunk, which may be before the pixels or after them."""
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            break
        size, name = unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return exif.orientation_of(data[at + 8 : at + 8 + size])
        if name == b"IEND":
            break
        at += 12 + size
    return 1


def _webp(data: memoryview) -> Header:
    name, content = next(webp_chunks(data), (b"", data))
    measure = _WEBP_SIZES.get(name)
    if measure is None:
        raise Malformed("does not tell the size")
    width, height = measure(content)
    if name != b"VP8X":
        return Header(width, height)
    block = next((chunk for chunk_name, chunk in webp_chunks(data) if chunk_name == b"EXIF"), None)
    return Header(width, height, 1 if block is None else exif.orientation_of(block))


def _vp8_size(content: memoryview) -> tuple[int, int]:
    if bytes(content[3:6]) != b"\x9d\x01\x2a":
        raise Malformed("lacks its start code")
    width, height = unpack_from("<HH", content, 6)
    return width & 0x3FFF, height & 0x3FFF


def _vp8l_size(content: memoryview) -> tuple[int, int]:
    if content[0] != 0x2F:
        raise Malformed("lacks its start code")
    bits = unpack_from("<I", content, 1)[0]
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _vp8x_size(content: memoryview) -> tuple[int, int]:
    low = unpack_from("<HBHB", content, 4)
    return (low[0] | low[1] << 16) + 1, (low[2] | low[3] << 16) + 1


def _gif(data: memoryview) -> Header:
    return Header(*unpack_from("<HH", data, 6))


def _bmp(data: memoryview) -> Header:
    if unpack_from("<I", data, 14)[0] == 12:
        return Header(*unpack_from("<HH", data, 18))
    width, height = unpack_from("<ii", data, 18)
    # A negative height says that the rows run from the top.
    return Header(width, abs(height))


_WEBP_SIZES: Mapping[bytes, Callable[[memoryview], tuple[int, int]]] = {
    b"VP8 ": _vp8_size,
    b"VP8L": _vp8l_size,
    b"VP8X": _vp8x_size,
}

_READERS: Mapping[str, Callable[[memoryview], Header]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "tiff": exif.read_tiff,
}
