"""The size and turn of a HEIF or AVIF image, from its boxes (ISO/IEC 14496-12 and 23008-12).

    meta
      pitm            which item is the picture
      iinf            what sort each item is: hvc1 (HEVC), av01 (AV1), grid for one that is put together
      iref            which items a picture is put together from
      iprp
        ipco          the list of properties: ispe (size), clap (crop), irot and imir (turns)
        ipma          which item has which properties, counted from 1

An EXIF orientation in such a file has no say. Decoders of HEIF apply crops and turns themselves, that of
AVIF applies neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import unpack_from

from .upright import MAX_PARTS, Foreign, Header, Malformed

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

_CODINGS: Mapping[bytes, str] = {
    b"hvc1": "an HEVC image",
    b"jpeg": "a JPEG image",
    b"j2k1": "a JPEG 2000 image",
    b"vvc1": "a VVC image",
    b"avc1": "an AVC image",
    b"av01": "an AV1 image",
    b"evc1": "an EVC image",
    b"lhv1": "an L-HEVC image",
    b"jxlc": "a JPEG XL image",
    b"unci": "an uncompressed image",
}
"""The known item types, as error messages name those without a decoder."""

_NEVER_CROPPED = frozenset({b"av01"})
"""The sorts whose decoder does not crop. AV1 has pictures of any size, so hardly a file asks for it."""

_DERIVED = frozenset({b"grid", b"iden", b"iovl", b"tmap"})
_DEEPEST = 4

Box = tuple[bytes, memoryview]


def read(data: memoryview, codings: frozenset[bytes]) -> Header:
    """Return the size and orientation of the primary image of a file whose decoder reads `codings`."""
    meta = _child(data, b"meta")[4:]
    primary = _primary_item(_child(meta, b"pitm"))
    sort = _sort_of(primary, dict(_boxes(meta)))
    if sort in _CODINGS and sort not in codings:
        raise Foreign(_CODINGS[sort])
    properties = _child(meta, b"iprp")
    boxes = list(_boxes(_child(properties, b"ipco")))
    wanted = _associations(_child(properties, b"ipma"), primary)
    chosen = [boxes[index - 1] for index in wanted if 0 < index <= len(boxes)]
    if sort in _NEVER_CROPPED and any(name == b"clap" for name, _ in chosen):
        raise Foreign("a cropped image")
    return _measure(chosen)


def _sort_of(item: int, meta: Mapping[bytes, memoryview]) -> bytes:
    """Return the type of an item, or of what it is derived from; nothing where that is not said."""
    sorts = dict(_sorts(meta.get(b"iinf", memoryview(b""))))
    parts = dict(_parts(meta.get(b"iref", memoryview(b""))))
    for _ in range(_DEEPEST):
        if sorts.get(item) not in _DERIVED or item not in parts:
            break
        item = parts[item]
    return sorts.get(item, b"")


def _sorts(iinf: memoryview) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the type of each item."""
    if not iinf:
        return
    for name, entry in _boxes(iinf[8 if iinf[0] else 6 :]):
        if name == b"infe" and entry[0] in (2, 3):
            layout = ">H2x4s" if entry[0] == 2 else ">I2x4s"
            number, sort = unpack_from(layout, entry, 4)
            yield number, sort


def _parts(iref: memoryview) -> Iterator[tuple[int, int]]:
    """Yield each derived item with the first of its sources."""
    if not iref:
        return
    layout = ">I2xI" if iref[0] else ">H2xH"
    for name, entry in _boxes(iref[4:]):
        if name == b"dimg":
            whole, part = unpack_from(layout, entry)
            yield whole, part


def _measure(properties: list[Box]) -> Header:
    """Apply the image's properties in their order. The resulting size is the one before the rotation."""
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
    """Return the property numbers of one item."""
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
    raise Malformed("does not describe its image")


def _child(data: memoryview, name: bytes) -> memoryview:
    """Return the content of the first box of a name in `data`. Raises `Malformed`."""
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
