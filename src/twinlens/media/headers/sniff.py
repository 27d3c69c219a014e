"""What bytes really are, whatever their label says, read from the first bytes.

The signatures of what is read stand with its types, in `domain/media_types.py`; here stand those of what is
refused by its name.
"""

from __future__ import annotations

from ...domain.media import Data
from ...domain.media_types import PLAIN_TEXT, TYPES, MediaType, Signature

FIRST_BYTES = 512
"""How many of a body's first bytes are read."""

_Sign = tuple[Signature, MediaType]


def _signs(*kinds: str) -> tuple[_Sign, ...]:
    """Return the signatures of types, by kind or by what stands before the slash.

    A longer one comes first: it may be a narrow one that a wider one fits too.
    """
    rows = (row for row in TYPES if {row.kind, row.main} & set(kinds))
    return tuple(sorted(((sign, row) for row in rows for sign in row.signatures), key=_length))


def _length(sign: _Sign) -> int:
    return -len(sign[0].magic)


_IMAGES = _signs("image")
_RECORDINGS = (*_signs("audio"), *_signs("video"))
_FILES = (*_signs("pdf", "text"), *_RECORDINGS)
_WITH_BRANDS = tuple(row for row in TYPES if row.brands)

_MINI = b"mif3"
"""The brand of Mini-HEIF, whose other brands tell only what it would have been in full boxes."""

_OTHER_IMAGES: tuple[Signature, ...] = (
    Signature(b"ftypmif3", 4, "a Mini-HEIF image"),
    Signature(b"ftypcrx", 4, "a camera raw image"),
    Signature(b"8BPS", means="a Photoshop document"),
    Signature(b"\0\0\1\0", means="an icon"),
    Signature(b"\xff\x0a", means="a JPEG XL image"),
    Signature(b"\0\0\0\x0cJXL ", means="a JPEG XL image"),
    Signature(b"\0\0\0\x0cjP  ", means="a JPEG 2000 image"),
    Signature(b"iVBORw0KGgo", means="an image that was encoded in base64 twice"),
    Signature(b"/9j/", means="an image that was encoded in base64 twice"),
    Signature(b"UklGR", means="an image that was encoded in base64 twice"),
    Signature(b"<svg", means="an SVG drawing"),
)

_OTHER_FILES: tuple[Signature, ...] = (
    Signature(b"PK\x03\x04", means="a ZIP archive or an Office document"),
    Signature(b"\x1f\x8b", means="a gzip archive"),
    Signature(b"data:", means="a data URL; send only the base64 that follows its comma"),
    Signature(b"<?xml", means="an XML document"),
)

_NOT_READ = (*_OTHER_IMAGES, *_OTHER_FILES)


def image_type_of(data: Data) -> MediaType | None:
    """Recognise a supported image by its first bytes: HEIC rather than HEIF where HEVC is promised."""
    head = bytes(memoryview(data).cast("B")[:FIRST_BYTES])
    brands = frozenset() if head.startswith(_MINI, 8) else _brands(head)
    by_brand = next((row for row in _WITH_BRANDS if row.brands & brands), None)
    return by_brand or next((row for sign, row in _IMAGES if sign.fits(head)), None)


def describe(data: memoryview) -> str:
    """Return what bytes look like, whatever their label, as the end of a sentence."""
    head = bytes(data[:FIRST_BYTES])
    if not head:
        return "nothing: it is empty"
    if image := image_type_of(head):
        return image.looks
    if known := next((sign.means for sign in _NOT_READ if sign.fits(head)), None):
        return known
    if known := next((sign.means or row.looks for sign, row in _FILES if sign.fits(head)), None):
        return known
    return "plain text" if _is_text(head) else "unknown data"


def is_image(head: bytes) -> bool:
    """Whether it is an image, supported or not; of the others only those in MP4's kind of boxes count."""
    known = image_type_of(head) is not None
    return known or any(sign.fits(head) for sign in _OTHER_IMAGES if sign.offset)


def is_like_image(head: bytes) -> bool:
    """Whether it looks like an image of any format."""
    return is_image(head) or any(sign.fits(head) for sign in _OTHER_IMAGES)


def is_recording(head: bytes) -> bool:
    """Whether it is a video or audio recording that can be inspected, damaged or not."""
    return not is_image(head) and any(sign.fits(head) for sign, _ in _RECORDINGS)


def file_type_of(head: Data) -> str | None:
    """Return the type of a file that can be stored, by its first bytes; None where they tell none."""
    start = bytes(memoryview(head).cast("B")[:FIRST_BYTES])
    if is_image(start):
        image = image_type_of(start)
        return image.name if image else None
    if any(sign.fits(start) for sign in _NOT_READ):
        return None
    if known := next((row.name for sign, row in _FILES if sign.fits(start)), None):
        return known
    return PLAIN_TEXT if start and _is_text(start) else None


def _brands(head: bytes) -> frozenset[bytes]:
    """Return the major and the compatible brands of a file that starts with an `ftyp` box."""
    if head[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return frozenset({head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))})


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 text; a character that the end of `head` cuts in two is ignored."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text)
