"""Pages that are one JPEG and nothing else, as scanners write them. Runs in a worker process.

Such a page need not be drawn: the JPEG can be decoded at a fraction of its size, in half the time. That
is done only where it shows the same: each thing that could change the picture is asked for, and what
PDFium has no call for is read in the picture's dictionary, where nothing but known entries may stand.
"""

from __future__ import annotations

import re
from ctypes import create_string_buffer
from typing import Any, NamedTuple

from pypdfium2 import raw

from .page_objects import View, matrix, objects, unit_square
from .pdf import Reader

_MAX_OBJECTS = 5000
_MAX_DICTIONARY = 2048


class Scan(NamedTuple):
    """The JPEG that a page shows, its size, and the quarters of a turn that make it upright."""

    jpeg: bytes
    width: int
    height: int
    quarters: int


def scan_of(page: Any, reader: Reader, pixel: float) -> Scan | None:
    """Return the JPEG that alone makes up a page; None where there is more to it.

    Its edges may miss the page's by half a `pixel` of the size that is wanted, a part of the page's.
    """
    view = View.of(page)
    shown = _only_picture(page)
    if shown is None or not _fills(shown, view, pixel) or not _is_plain_jpeg(shown):
        return None
    data = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(shown, page, data) or data.colorspace not in _COLOURS:
        return None
    jpeg = _bytes_of(shown)
    if _PROFILE in jpeg[:_PROFILE_WITHIN] or not _has_plain_dictionary(jpeg, reader):
        return None
    return Scan(jpeg, data.width, data.height, view.quarters)


_COLOURS = frozenset({raw.FPDF_COLORSPACE_DEVICERGB, raw.FPDF_COLORSPACE_DEVICEGRAY})
_PROFILE = b"ICC_PROFILE\0"
_PROFILE_WITHIN = 65_536
"""PDF passes over a profile within a JPEG; the decoder for images would not."""


def _only_picture(page: Any) -> Any:
    """Return the only visible object of a page if it is an image; the invisible text of OCR is ignored."""
    if raw.FPDFPage_GetAnnotCount(page) or raw.FPDFPage_CountObjects(page) > _MAX_OBJECTS:
        return None
    seen = [drawn for drawn in objects(page) if not _is_unseen(drawn)]
    if len(seen) != 1 or raw.FPDFPageObj_GetType(seen[0]) != raw.FPDF_PAGEOBJ_IMAGE:
        return None
    return seen[0]


def _is_unseen(drawn: Any) -> bool:
    if raw.FPDFPageObj_GetType(drawn) != raw.FPDF_PAGEOBJ_TEXT:
        return False
    return bool(raw.FPDFTextObj_GetTextRenderMode(drawn) == raw.FPDF_TEXTRENDERMODE_INVISIBLE)


def _fills(shown: Any, view: View, pixel: float) -> bool:
    """Whether an image is upright and covers just what is shown of the page."""
    by = matrix(shown)
    if by.b or by.c or by.a <= 0 or by.d <= 0:
        return False
    place = view.shown(unit_square(by))
    misses = (place.left, place.top, place.right - 1, place.bottom - 1)
    return all(abs(miss) <= pixel / 2 for miss in misses)


def _is_plain_jpeg(shown: Any) -> bool:
    """Whether it is a JPEG that is drawn as it is: opaque, not clipped by a path, not part of a layer."""
    if raw.FPDFPageObj_HasTransparency(shown) or raw.FPDFPageObj_CountMarks(shown):
        return False
    clip = raw.FPDFPageObj_GetClipPath(shown)
    if clip and raw.FPDFClipPath_CountPaths(clip) > 0:
        return False
    name = create_string_buffer(16)
    raw.FPDFImageObj_GetImageFilter(shown, 0, name, len(name))
    return bool(raw.FPDFImageObj_GetImageFilterCount(shown) == 1) and name.value == b"DCTDecode"


def _bytes_of(shown: Any) -> bytes:
    buffer = create_string_buffer(raw.FPDFImageObj_GetImageDataRaw(shown, None, 0))
    raw.FPDFImageObj_GetImageDataRaw(shown, buffer, len(buffer))
    return buffer.raw


def _has_plain_dictionary(jpeg: bytes, reader: Reader) -> bool:
    """Whether the dictionary before the JPEG's data has only known entries.

    Masks, a Decode array and layers are entries of it.
    """
    place = reader.places.get(len(jpeg))
    if (
        place is None
        or reader.at(place, 64) != jpeg[:64]
        or reader.at(place + len(jpeg) - 64, 64) != jpeg[-64:]
    ):
        return False
    before = reader.at(max(place - _MAX_DICTIONARY, 0), min(place, _MAX_DICTIONARY))
    found = _DICTIONARY.search(before)
    return found is not None and set(_NAME.findall(_LABEL.sub(b"", found[1]))) <= _KNOWN


_DICTIONARY = re.compile(rb"obj\s*<<([^<>%#]*)>>\s*stream\r?\n\Z")
_NAME = re.compile(rb"/([^\s/\[\]()]*)")
_LABEL = re.compile(rb"/Name\s*/[^\s/\[\]()]*")
_KNOWN = frozenset(
    b"Type XObject Subtype Image Width Height BitsPerComponent ColorSpace DeviceRGB DeviceGray "
    b"Filter DCTDecode Length Interpolate".split()
)
