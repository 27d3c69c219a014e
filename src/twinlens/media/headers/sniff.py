"""What bytes really are, whatever their label says: tables of signatures, read from the first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...domain.media import Data

Format = Literal["png", "jpeg", "webp", "heif", "gif", "bmp", "tiff"]

FIRST_BYTES = 512
"""How much of a body is looked at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that must stand at an offset, and what they tell; with the type of files that can be stored."""

    magic: bytes
    means: str
    offset: int = 0
    mime_type: str | None = None

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

_VIDEOS: tuple[Signature, ...] = (
    Signature(b"ftypqt", "a QuickTime video", 4, "video/quicktime"),
    Signature(b"ftyp3g", "a 3GPP video", 4, "video/3gpp"),
    Signature(b"ftyp", "an MP4 video", 4, "video/mp4"),
    Signature(b"moov", "a QuickTime video", 4, "video/quicktime"),
    Signature(b"mdat", "a QuickTime video", 4, "video/quicktime"),
    Signature(b"wide", "a QuickTime video", 4, "video/quicktime"),
    Signature(b"AVI ", "an AVI video", 8, "video/avi"),
    Signature(b"\x1a\x45\xdf\xa3", "a WebM or Matroska video", 0, "video/webm"),
    Signature(b"FLV\1", "an FLV video", 0, "video/x-flv"),
    Signature(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMV video", 0, "video/wmv"),
    Signature(b"\0\0\1\xba", "an MPEG video", 0, "video/mpeg"),
    Signature(b"\0\0\1\xb3", "an MPEG video", 0, "video/mpeg"),
    Signature(b"\x47\x40", "an MPEG transport stream", 0, "video/mpeg"),
)

_SOUNDS: tuple[Signature, ...] = (
    Signature(b"ftypM4A", "M4A audio", 4, "audio/m4a"),
    Signature(b"ftypM4B", "M4A audio", 4, "audio/m4a"),
    Signature(b"WAVE", "WAV audio", 8, "audio/wav"),
    Signature(b"AIFF", "AIFF audio", 8, "audio/aiff"),
    Signature(b"AIFC", "AIFF audio", 8, "audio/aiff"),
    Signature(b"ID3", "MP3 audio", 0, "audio/mpeg"),
    Signature(b"OpusHead", "Opus audio", 28, "audio/opus"),
    Signature(b"OggS", "Ogg audio", 0, "audio/ogg"),
    Signature(b"fLaC", "FLAC audio", 0, "audio/flac"),
    Signature(b"#!AMR", "AMR audio", 0, "audio/amr"),
    *(Signature(bytes((0xFF, second)), "AAC audio", 0, "audio/aac") for second in (0xF0, 0xF1, 0xF8, 0xF9)),
    *(
        Signature(bytes((0xFF, second)), "MP3 audio", 0, "audio/mpeg")
        for second in (0xE2, 0xE3, 0xF2, 0xF3, 0xF4, 0xF5, 0xFA, 0xFB, 0xFC, 0xFD)
    ),
)

_OTHER_IMAGES: tuple[Signature, ...] = (
    Signature(b"ftypavi", "an AVIF image", offset=4),
    Signature(b"ftypmif3", "a Mini-HEIF image", offset=4),
    Signature(b"ftypcrx", "a camera raw image", offset=4),
    Signature(b"8BPS", "a Photoshop document"),
    Signature(b"\0\0\1\0", "an icon"),
    Signature(b"\xff\x0a", "a JPEG XL image"),
    Signature(b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    Signature(b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    Signature(b"iVBORw0KGgo", "an image that was encoded in base64 twice"),
    Signature(b"/9j/", "an image that was encoded in base64 twice"),
    Signature(b"UklGR", "an image that was encoded in base64 twice"),
    Signature(b"<svg", "an SVG drawing"),
)

_OTHERS: tuple[Signature, ...] = (
    Signature(b"%PDF", "a PDF document", 0, "application/pdf"),
    Signature(b"PK\x03\x04", "a ZIP archive or an Office document"),
    Signature(b"\x1f\x8b", "a gzip archive"),
    Signature(b"data:", "a data URL; send only the base64 that follows its comma"),
    Signature(b"<?xml", "an XML document"),
    Signature(b"<!DOCTYPE", "a web page", 0, "text/html"),
    Signature(b"<html", "a web page", 0, "text/html"),
)

_DESCRIBED = (*_OTHER_IMAGES, *_OTHERS, *_SOUNDS, *_VIDEOS)
"""A narrow signature comes before the wider one that it fits in."""

HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF_BRANDS = HEVC_BRANDS | {
    *(b"mif1", b"mif2", b"msf1", b"miaf"),
    *(b"jpeg", b"jpgs", b"j2ki", b"j2is", b"avci", b"avcs", b"vvic", b"vvis", b"evbi", b"evbs", b"unif"),
}
_AV1_BRANDS = frozenset({b"avif", b"avis"})


def sniff(data: memoryview) -> Format | None:
    """Recognise a supported image format by its bytes."""
    head = bytes(data[:FIRST_BYTES])
    if is_heif(head):
        return "heif"
    return next((name for name, signature in _IMAGES if signature.fits(head)), None)


def describe(data: memoryview) -> str:
    """Say what bytes look like, whatever they are labelled, as the end of a sentence."""
    head = bytes(data[:FIRST_BYTES])
    if not head:
        return "nothing: it is empty"
    if is_avif(head):
        return "an AVIF image"
    if image := sniff(data):
        return f"a {image.upper()} image"
    known = next((signature.means for signature in _DESCRIBED if signature.fits(head)), None)
    return known or ("plain text" if _is_text(head) else "unknown data")


def is_image(head: bytes) -> bool:
    """Tell an image, one that can be decoded or not; those are meant that are in the same boxes as MP4."""
    if sniff(memoryview(head)) is not None or is_avif(head):
        return True
    return any(signature.fits(head) for signature in _OTHER_IMAGES if signature.offset)


def is_like_image(head: bytes) -> bool:
    """Tell an image, if only by what it looks like."""
    return is_image(head) or any(signature.fits(head) for signature in _OTHER_IMAGES)


def is_recording(head: bytes) -> bool:
    """Tell a video or a recording of sound that can be looked into, broken or not."""
    return not is_image(head) and any(signature.fits(head) for signature in (*_VIDEOS, *_SOUNDS))


def is_heif(head: bytes) -> bool:
    """Tell a HEIF image by its brands; one whose pixels are AV1 is not meant."""
    brands = _brands(head)
    if head.startswith(b"mif3", 8):
        return False
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


def file_type_of(head: Data) -> str | None:
    """Name the type of a file that can be stored, by its first bytes; None where they tell none."""
    start = bytes(memoryview(head).cast("B")[:FIRST_BYTES])
    if is_image(start):
        return mime_type_of(start)
    known = next((signature for signature in _DESCRIBED if signature.fits(start)), None)
    if known is not None:
        return known.mime_type
    return "text/plain" if start and _is_text(start) else None


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
