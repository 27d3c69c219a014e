"""The size and turn of a HEIF image, from its boxes (ISO/IEC 14496-12 and 23008-12).

    meta
      pitm            which item is the picture
      iprp
        ipco          the list of properties: ispe (size), clap (crop), irot and imir (turns)
        ipma          which item has which properties, counted from 1

Decoders of HEIF apply crops and turns themselves; an EXIF orientation in such a file has no say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import unpack_from

from .upright import MAX_PARTS, Header, Malformed

_TURNS: Mapping[tuple[int, bool], int] = {
    (0, False): 1,
    (0, True): 2,
    (2, False): 3,
    (2, True): 4,
    (3, True): 5,
    (1, False): 6,
    (1, True): 7,
    (3, False): 8,
}
"""EXIF's orientation for: mirrored left to right or not, then so many quarter turns clockwise."""

Box = tuple[bytes, memoryview]


def read(data: memoryview) -> Header:
    """Measure the primary picture of a HEIF file."""
    meta = _child(data, b"meta")[4:]
    properties = _child(meta, b"iprp")
    boxes = list(_boxes(_child(properties, b"ipco")))
    wanted = _associations(_child(properties, b"ipma"), _primary_item(_child(meta, b"pitm")))
    return _measure([boxes[index - 1] for index in wanted if 0 < index <= len(boxes)])


def _measure(properties: list[Box]) -> Header:
    """Apply the picture's properties in their order. The size wanted is the one before the turns."""
    size: tuple[int, int] | None = None
    turns, mirrored = 0, False
    for name, content in properties:
        match name:
            case b"ispe":
                size = unpack_from(">II", content, 4)
            case b"clap" if size is not None:
                size = _cropped(content, swapped=turns % 2 == 1)
            case b"irot":
                turns -= content[0] & 3
            case b"imir":
                # Mirroring after a turn is turning the other way after mirroring.
                turns, mirrored = -turns + (0 if content[0] & 1 else 2), not mirrored
    if size is None:
        raise Malformed("does not tell the size")
    return Header(*size, _TURNS[turns % 4, mirrored])


def _cropped(content: memoryview, *, swapped: bool) -> tuple[int, int]:
    width, width_unit, height, height_unit = unpack_from(">IIII", content)
    if not width_unit or not height_unit:
        raise Malformed("crops by a fraction of nothing")
    size = width // width_unit, height // height_unit
    return size[::-1] if swapped else size


def _primary_item(pitm: memoryview) -> int:
    number: int = unpack_from(">I" if pitm[0] else ">H", pitm, 4)[0]
    return number


def _associations(ipma: memoryview, item: int) -> list[int]:
    """Read the property numbers of one item."""
    version, wide = ipma[0], ipma[3] & 1
    count = unpack_from(">I", ipma, 4)[0]
    at = 8
    for _ in range(min(count, MAX_PARTS)):
        number, entries = unpack_from(">IB" if version else ">HB", ipma, at)
        at += 5 if version else 3
        if number == item:
            code, mask = ("H", 0x7FFF) if wide else ("B", 0x7F)
            return [value & mask for value in unpack_from(f">{entries}{code}", ipma, at)]
        at += entries * (2 if wide else 1)
    raise Malformed("does not describe its picture")


def _child(data: memoryview, name: bytes) -> memoryview:
    """Find the first box of a name among the boxes that follow one another in `data`."""
    for found, content in _boxes(data):
        if found == name:
            return content
    raise Malformed(f"lacks its {name.decode()} box")


def _boxes(data: memoryview) -> Iterator[Box]:
    at = 0
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        size, name = unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            size = unpack_from(">Q", data, start)[0]
            start += 8
        end = at + size if size else len(data)
        if end < start:
            raise Malformed("has a box that ends before it starts")
        yield name, data[start:end]
        at = end
