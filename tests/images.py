"""Makes the images the tests need: every format, every orientation, and malformed ones."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

pillow_heif.register_heif_opener()

Array = NDArray[np.uint8]

FORMATS = ("png", "jpeg", "webp", "heif", "avif", "gif", "bmp", "tiff")
TURNED_FORMATS = ("png", "jpeg", "webp", "heif", "avif", "tiff")
"""Formats that can say how they are to be turned."""

MIME_TYPES = {name: f"image/{name}" for name in FORMATS} | {"heif": "image/heic"}

CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
"""The colours of `quarters`: top left, top right, bottom left, bottom right."""

_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How to store an upright image so that the orientation, obeyed, makes it upright again."""

_HEIF_TURNS = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (1, 1), 6: (3, 0), 7: (3, 1), 8: (1, 0)}
"""`irot` quarter turns (anti-clockwise) after `imir` or not, for each of EXIF's orientations."""


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Draw four plain quarters, a colour each, so that every turn and mirroring shows."""
    image = Image.new("RGB", (width, height))
    half = width // 2, height // 2
    boxes = (
        (0, 0, *half),
        (half[0], 0, width, half[1]),
        (0, half[1], half[0], height),
        (*half, width, height),
    )
    for colour, box in zip(CORNERS, boxes, strict=True):
        image.paste(colour, box)
    return image


def noise(width: int, height: int) -> Image.Image:
    """Draw what no format makes small."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def notice(*lines: str) -> Image.Image:
    """Print lines in large letters on white paper."""
    image = Image.new("RGB", (900, 80 + 90 * len(lines)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(48)
    for number, line in enumerate(lines):
        draw.text((40, 40 + 90 * number), line, "black", font)
    return image


def encode(image: Image.Image, name: str, **options: Any) -> bytes:
    """Encode an image as one of `FORMATS`."""
    body = io.BytesIO()
    image.save(body, name.upper(), **options)
    return body.getvalue()


def make(name: str, width: int = 64, height: int = 48) -> bytes:
    """Encode `quarters` as one of `FORMATS`."""
    return encode(quarters(width, height), name)


def make_turned(name: str, orientation: int, width: int = 128, height: int = 64) -> bytes:
    """Encode `quarters` so that it is upright only after the orientation is obeyed.

    For HEIF the sides must be multiples of 64: other sizes are stored larger, with a crop.
    """
    image = quarters(width, height)
    if orientation in _TURN:
        image = image.transpose(_TURN[orientation])
    if name == "heif":
        return _turn_heif(encode(image, "heif"), orientation)
    if name == "tiff":
        return encode(image, "tiff", tiffinfo={274: orientation})
    exif = Image.Exif()
    exif[274] = orientation
    return encode(image, name, exif=exif)


def avif_that_says(width: int, height: int) -> bytes:
    """Make a small AVIF file whose header gives it another size."""
    whole = make("avif", 64, 48)
    return whole.replace(struct.pack(">II", 64, 48), struct.pack(">II", width, height), 1)


def many_scans(count: int, width: int = 640, height: int = 480) -> bytes:
    """Write a progressive JPEG whose last scan, which only refines, stands there again and again."""
    body = encode(quarters(width, height), "jpeg", progressive=True)
    last, end = body.rindex(b"\xff\xda"), len(body) - 2
    return body[:last] + body[last:end] * (count - body.count(b"\xff\xda") + 1) + body[end:]


def corners(pixels: Array) -> tuple[tuple[int, ...], ...]:
    """Read the colours near the four corners, each channel rounded to 0 or 255."""
    height, width = pixels.shape[:2]
    y, x = height // 8, width // 8
    found = (pixels[row, column] for row in (y, -1 - y) for column in (x, -1 - x))
    return tuple(tuple(255 * int(channel > 127) for channel in pixel) for pixel in found)


def png(width: int, height: int, rows: Iterator[bytes], *, depth: int = 8, colour: int = 2) -> bytes:
    """Write a PNG file by hand from unfiltered rows: what the header says need not be true."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def black_png(width: int, height: int) -> bytes:
    """Write a large black PNG file, small on disk."""
    row = bytes(width * 3)
    return png(width, height, (row for _ in range(height)))


def heif_of(sort: bytes, *, grid: bool = False, wide: bool = False) -> bytes:
    """Write a HEIF file whose picture is an item of some sort, or a grid of such; it holds no pixels.

    `wide` numbers its items in 32 bits.
    """
    number, version = (">I", 1) if wide else (">H", 0)
    items = [(1, b"grid" if grid else sort), (2, sort)][: 1 + grid]
    infos = b"".join(
        _box(
            b"infe",
            struct.pack(">I", 3 - (not wide) << 24) + struct.pack(number, item) + bytes(2) + kind + b"\0",
        )
        for item, kind in items
    )
    full = struct.pack(">I", version << 24)
    size = _box(b"ispe", bytes(4) + struct.pack(">II", 64, 48))
    owner = struct.pack(">I", 1) + struct.pack(number, 1) + b"\1\1"
    meta = (
        _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
        + _box(b"pitm", full + struct.pack(number, 1))
        + _box(b"iinf", full + struct.pack(number, len(items)) + infos)
        + _box(b"iprp", _box(b"ipco", size) + _box(b"ipma", full + owner))
    )
    if grid:
        link = struct.pack(number, 1) + b"\0\1" + struct.pack(number, 2)
        meta += _box(b"iref", full + _box(b"dimg", link))
    return _box(b"ftyp", b"mif1" + bytes(4) + b"mif1") + _box(b"meta", bytes(4) + meta)


def avif_grid(columns: int, rows: int, *, says: tuple[int, int] | None = None) -> bytes:
    """Write an AVIF file whose picture is put together from `quarters` of 64 x 64, again and again.

    `says` is the size that its header gives it.
    """
    width, height = 64 * columns, 64 * rows
    whole = make("avif", 64, 64)
    tile, tiles = whole[whole.index(b"mdat") + 4 :], range(2, 2 + columns * rows)
    coding = whole[whole.index(b"av1C") - 4 :][:12]
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    items = [(1, b"grid"), *((number, b"av01") for number in tiles)]
    infos = b"".join(_box(b"infe", struct.pack(">IHH4sB", 2 << 24, item, 0, sort, 0)) for item, sort in items)
    sizes = [_box(b"ispe", struct.pack(">III", 0, *size)) for size in (says or (width, height), (64, 64))]
    depth = _box(b"pixi", bytes(4) + b"\3\x08\x08\x08")
    owned = {1: (1, 4), **dict.fromkeys(tiles, (2, 0x80 | 3, 4))}
    owners = b"".join(struct.pack(">HB", item, len(which)) + bytes(which) for item, which in owned.items())
    head = _box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miaf")
    links = _box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *tiles))

    def meta(start: int) -> bytes:
        places = ((1, start, len(layout)), *((item, start + len(layout), len(tile)) for item in tiles))
        where = b"".join(struct.pack(">HHHII", item, 0, 1, at, size) for item, at, size in places)
        return _box(
            b"meta",
            bytes(4)
            + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + _box(b"pitm", struct.pack(">IH", 0, 1))
            + _box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, len(places)) + where)
            + _box(b"iinf", struct.pack(">IH", 0, len(items)) + infos)
            + _box(b"iref", bytes(4) + links)
            + _box(
                b"iprp",
                _box(b"ipco", b"".join((*sizes, coding, depth)))
                + _box(b"ipma", struct.pack(">II", 0, len(owned)) + owners),
            ),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", layout + tile)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _turn_heif(body: bytes, orientation: int) -> bytes:
    """Overwrite two properties that carry nothing here with the turns, so that no offset changes."""
    turns, mirrored = _HEIF_TURNS[orientation]
    body = _overwrite(body, b"pixi", b"irot", turns)
    return _overwrite(body, b"colr", b"imir", 1) if mirrored else body


def _overwrite(body: bytes, old: bytes, new: bytes, value: int) -> bytes:
    at = body.index(old)
    size = struct.unpack_from(">I", body, at - 4)[0]
    content = bytes([value]).ljust(size - 8, b"\0")
    return body[:at] + new + content + body[at + size - 4 :]
