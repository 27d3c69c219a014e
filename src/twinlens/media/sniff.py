"""What bytes really are, whatever their label says: tables of signatures, read from the first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..domain.media import Data

Format = Literal["png", "jpeg", "webp", "heif", "gif", "bmp", "tiff"]

FIRST_BYTES = 512
"""How much of a body is looked at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that must stand at an offset, and what they tell."""

    magic: bytes
    means: str
    offset: int = 0

    def fits(self, head: bytes) -> bool:
        """Tell whether a body that starts with `head` carries this signature."""
        return head.startswith(self.magic, self.offset)


MIME_TYPES: Mapping[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heif": "image/heif",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
}

_IMAGES: tuple[tuple[Format, Signature], ...] = (
    ("png", Signature(b"\x89PNG\r\n\x1a\n", "image/png")),
    ("jpeg", Signature(b"\xff\xd8\xff", "image/jpeg")),
    ("webp", Signature(b"WEBP", "image/webp", offset=8)),
    ("gif", Signature(b"GIF87a", "image/gif")),
    ("gif", Signature(b"GIF89a", "image/gif")),
    ("bmp", Signature(b"BM", "image/bmp")),
    ("tiff", Signature(b"II*\0", "image/tiff")),
    ("tiff", Signature(b"MM\0*", "image/tiff")),
    ("tiff", Signature(b"II+\0", "image/tiff")),
    ("tiff", Signature(b"MM\0+", "image/tiff")),
)

_OTHERS: tuple[Signature, ...] = (
    Signature(b"%PDF", "a PDF document"),
    Signature(b"PK\x03\x04", "a ZIP archive or an Office document"),
    Signature(b"ftypavi", "an AVIF image", offset=4),
    Signature(b"ftypcrx", "a camera raw image", offset=4),
    Signature(b"ftypM4A", "M4A audio", offset=4),
    Signature(b"ftyp", "an MP4 or QuickTime video", offset=4),
    Signature(b"AVI ", "an AVI video", offset=8),
    Signature(b"WAVE", "WAV audio", offset=8),
    Signature(b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
    Signature(b"ID3", "MP3 audio"),
    Signature(b"OggS", "Ogg audio"),
    Signature(b"fLaC", "FLAC audio"),
    Signature(b"\x1f\x8b", "a gzip archive"),
    Signature(b"8BPS", "a Photoshop document"),
    Signature(b"\0\0\1\0", "an icon"),
    Signature(b"\xff\x0a", "a JPEG XL image"),
    Signature(b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    Signature(b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    Signature(b"data:", "a data URL; send only the base64 that follows its comma"),
    Signature(b"iVBORw0KGgo", "an image that was encoded in base64 twice"),
    Signature(b"/9j/", "an image that was encoded in base64 twice"),
    Signature(b"UklGR", "an image that was encoded in base64 twice"),
    Signature(b"<svg", "an SVG drawing"),
    Signature(b"<?xml", "an XML document"),
    Signature(b"<!DOCTYPE", "a web page"),
    Signature(b"<html", "a web page"),
)

HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF_BRANDS = HEVC_BRANDS | {b"mif1", b"msf1"}
_AV1_BRANDS = frozenset({b"avif", b"avis"})


def sniff(data: memoryview) -> Format | None:
    """Recognise a supported image format by its bytes."""
    head = bytes(data[:FIRST_BYTES])
    if is_heif(head):
        return "heif"
    return next((name for name, signature in _IMAGES if signature.fits(head)), None)


def describe(data: memoryview) -> str:
    """Say what bytes look like that are no supported image, as the end of a sentence."""
    head = bytes(data[:FIRST_BYTES])
    if not head:
        return "nothing: it is empty"
    if is_avif(head):
        return "an AVIF image"
    known = next((signature.means for signature in _OTHERS if signature.fits(head)), None)
    return known or ("plain text" if _is_text(head) else "unknown data")


def is_heif(head: bytes) -> bool:
    """Tell a HEIF image by its brands; one whose pixels are AV1 is not meant."""
    brands = _brands(head)
    return bool(brands & HEVC_BRANDS) or (bool(brands & _HEIF_BRANDS) and not brands & _AV1_BRANDS)


def is_avif(head: bytes) -> bool:
    """Tell an AVIF image by its brands."""
    return bool(_brands(head) & _AV1_BRANDS) and not is_heif(head)


def mime_type_of(data: Data) -> str | None:
    """Name the type of a supported image by its first bytes: HEIC rather than HEIF where HEVC is promised."""
    view = memoryview(data).cast("B")
    format_ = sniff(view)
    if format_ == "heif" and _brands(bytes(view[:FIRST_BYTES])) & HEVC_BRANDS:
        return "image/heic"
    return MIME_TYPES[format_] if format_ else None


def _brands(head: bytes) -> frozenset[bytes]:
    """Read the major and the compatible brands of a file that starts with an `ftyp` box."""
    if head[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return frozenset({head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))})


def _is_text(head: bytes) -> bool:
    """Tell UTF-8 text; a character that the end of `head` cuts in two does not count against it."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text)
