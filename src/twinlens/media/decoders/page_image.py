"""A page of a PDF as an image of exactly the requested size. Runs in a worker process."""

from __future__ import annotations

import logging
from typing import Any

import cv2
import numpy as np
from pypdfium2 import raw

from ...domain.media import ImageInfo, Pixels
from ...domain.media_types import BY_FORMAT
from . import image
from .page_scan import Scan, scan_of
from .pdf import DamagedPage, Pdf

log = logging.getLogger(__name__)


def draw(pdf: Pdf, page: Any, width: int, height: int) -> Pixels:
    """Render a page upright on white, with its annotations and form fields."""
    found = scan_of(page, pdf.reader, 1 / max(width, height))
    pixels = None if found is None else _decoded(found, width, height)
    return _rendered(pdf, page, width, height) if pixels is None else pixels


def _decoded(scan: Scan, width: int, height: int) -> Pixels | None:
    """Decode the JPEG that the page shows; None where it is none that can be relied on."""
    size = (scan.width, scan.height) if scan.quarters % 2 == 0 else (scan.height, scan.width)
    info = ImageInfo("jpeg", BY_FORMAT["jpeg"].name, *size, orientation=_ORIENTATIONS[scan.quarters])
    try:
        return image.decode(scan.jpeg, info, width, height)
    except Exception as error:
        # Whatever is wrong with it, PDFium may make more of it.
        log.info("image of a page not decoded: %s", error)
        return None


_ORIENTATIONS = (1, 6, 3, 8)
"""EXIF's numbers for turns by quarters, clockwise."""


def _rendered(pdf: Pdf, page: Any, width: int, height: int) -> Pixels:
    pixels = np.full((height, width, 3), 255, np.uint8)
    bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGR, pixels.ctypes.data, width * 3)
    if not bitmap:
        raise DamagedPage(f"no bitmap of {width} x {height}")
    try:
        whole = 0, 0, width, height, 0, raw.FPDF_ANNOT
        raw.FPDF_RenderPageBitmap(bitmap, page, *whole)
        if pdf.forms:
            raw.FPDF_FFLDraw(pdf.forms, bitmap, page, *whole)
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
    cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
    return pixels
