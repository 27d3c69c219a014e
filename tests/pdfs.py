"""Makes the small PDF files the tests need: text in places, scans, turned and cropped pages."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

LETTER = (612, 792)


@dataclass(frozen=True)
class Jpeg:
    """A JPEG, and how the document describes it."""

    jpeg: bytes
    size: tuple[int, int]
    colours: str = "/DeviceRGB"
    extra: str = ""


@dataclass(frozen=True)
class Page:
    """One page: its content stream, the images that it draws by name, and entries of its dictionary."""

    content: str = ""
    size: tuple[float, float] = LETTER
    pictures: Mapping[str, Jpeg] = field(default_factory=dict)
    extra: str = ""


def text_at(text: str, x: float, y: float, *, size: float = 12) -> str:
    """Write a line at a place, from the lower left corner on."""
    for char in "\\()":
        text = text.replace(char, "\\" + char)
    return f"BT /F {size} Tf {x} {y} Td ({text}) Tj ET\n"


def column(lines: Sequence[str], x: float, top: float, *, size: float = 12) -> str:
    """Write lines one below the other."""
    return "".join(
        text_at(line, x, top - number * size * 1.2, size=size) for number, line in enumerate(lines)
    )


def image_at(name: str, width: float, height: float, x: float = 0, y: float = 0) -> str:
    """Draw an image at a place."""
    return f"q {width} 0 0 {height} {x} {y} cm /{name} Do Q\n"


def jpeg(
    size: tuple[int, int] = (850, 1100),
    *,
    mode: str = "RGB",
    text: str = "",
    of: NDArray[np.uint8] | None = None,
    extra: str = "",
) -> Jpeg:
    """Make a JPEG of a slope of colours with large letters on it, or of pixels."""
    image = _slope(size, text) if of is None else Image.fromarray(of)
    body = io.BytesIO()
    image.convert(mode).save(body, "JPEG", quality=85)
    colours = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}[mode]
    return Jpeg(body.getvalue(), image.size, colours, extra)


def _slope(size: tuple[int, int], text: str) -> Image.Image:
    slope = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (slope, slope.transpose(Image.Transpose.FLIP_TOP_BOTTOM), slope))
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((size[0] // 10, size[1] // 10, size[0] // 3, size[1] // 5), fill=(200, 30, 30))
    drawing.text((size[0] // 10, size[1] // 2), text, fill=(0, 0, 0), font_size=size[0] / 15)
    return image


def scan(pages: int = 1, *, of: Jpeg | None = None, extra: str = "", over: str = "") -> bytes:
    """Make a document of pages that are one image each, and what is drawn `over` it."""
    sheet = Page(image_at("P", *LETTER) + over, pictures={"P": of or jpeg()}, extra=extra)
    return document([sheet] * pages)


def document(sheets: Sequence[Page], *, encrypted: bool = False, catalog: str = "") -> bytes:
    """Write a document. An `encrypted` one opens without a password being given."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(sheets)))
    drawn = {id(shown): shown for sheet in sheets for shown in sheet.pictures.values()}
    numbers = {key: 4 + 2 * len(sheets) + place for place, key in enumerate(drawn)}
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(sheets)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    seal = _sealed if encrypted else _plain
    for sheet in sheets:
        shown = " ".join(f"/{name} {numbers[id(one)]} 0 R" for name, one in sheet.pictures.items())
        at = len(objects) + 1
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {sheet.size[0]} {sheet.size[1]}] "
            f"/Resources << /Font << /F 3 0 R >> /XObject << {shown} >> >> "
            f"/Contents {at + 1} 0 R {sheet.extra} >>".encode(),
            _stream("", seal(sheet.content.encode("latin-1"), at + 1)),
        ]
    for one in drawn.values():
        described = (
            f"/Type /XObject /Subtype /Image /Width {one.size[0]} /Height {one.size[1]} "
            f"/BitsPerComponent 8 /ColorSpace {one.colours} /Filter /DCTDecode {one.extra}"
        )
        objects.append(_stream(described, seal(one.jpeg, len(objects) + 1)))
    return _file(objects, _encryption() if encrypted else "")


def heavy(pages: int, strokes: int = 2000) -> bytes:
    """Write a document of many pages that share one stream, which takes long to draw."""
    kids = " ".join(f"{4 + number} 0 R" for number in range(pages))
    curve = "0.01 w " + " ".join(
        f"{number % 600} 0 m {number % 311} 900 {number % 97} 50 {number % 503} 792 c S"
        for number in range(strokes)
    )
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        _stream("", curve.encode()),
        *[page] * pages,
    ]
    return _file(objects, "")


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    body, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size, start = len(objects) + 1, len(body)
    body += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    body += f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(body)


def _plain(data: bytes, number: int) -> bytes:
    return data


def _sealed(data: bytes, number: int) -> bytes:
    """Encrypt an object as the standard's oldest handler does: RC4 of 40 bits."""
    return _rc4(hashlib.md5(_KEY + number.to_bytes(3, "little") + b"\0\0").digest()[:10], data)


_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
_ALLOWED = (-4).to_bytes(4, "little", signed=True)


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


_OWNER = _rc4(hashlib.md5(_PADDING).digest()[:5], _PADDING)
_KEY = hashlib.md5(_PADDING + _OWNER + _ALLOWED + b"\0").digest()[:5]


def _encryption() -> str:
    user = _rc4(_KEY, _PADDING)
    lock = f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{_OWNER.hex()}> /U <{user.hex()}> >>"
    return f"/Encrypt {lock} /ID [<00> <00>]"
