"""QR codes and bar codes."""

from __future__ import annotations

import zxingcpp

from ...domain.media import Pixels
from ...domain.regions import Box
from .facts import Code

_NAMES = {
    "Aztec": "Aztec",
    "AztecCode": "Aztec",
    "AztecRune": "Aztec rune",
    "Codabar": "Codabar",
    "Code128": "Code 128",
    "Code39": "Code 39",
    "Code39Std": "Code 39",
    "Code39Ext": "Code 39",
    "Code93": "Code 93",
    "CompactPDF417": "PDF417",
    "DXFilmEdge": "DX film edge",
    "DataBar": "GS1 DataBar",
    "DataBarExp": "GS1 DataBar Expanded",
    "DataBarExpStk": "GS1 DataBar Expanded",
    "DataBarLtd": "GS1 DataBar Limited",
    "DataBarOmni": "GS1 DataBar",
    "DataBarStk": "GS1 DataBar",
    "DataBarStkOmni": "GS1 DataBar",
    "DataMatrix": "Data Matrix",
    "EAN13": "EAN-13",
    "EAN8": "EAN-8",
    "ISBN": "EAN-13",
    "ITF": "ITF",
    "ITF14": "ITF-14",
    "MaxiCode": "MaxiCode",
    "MicroPDF417": "Micro PDF417",
    "MicroQRCode": "Micro QR code",
    "PDF417": "PDF417",
    "QRCode": "QR code",
    "QRCodeModel1": "QR code",
    "QRCodeModel2": "QR code",
    "RMQRCode": "rMQR code",
    "UPCA": "UPC-A",
    "UPCE": "UPC-E",
}
"""The library's names, as people say them."""

# What has no check digit, or hardly any, is found in every picket fence.
_CHECKED = frozenset(("QR code", "Data Matrix", "Aztec", "PDF417", "MaxiCode", "Code 128", "Code 93"))
_SURE, _LIKELY = 0.99, 0.9
_LEAST_CHARACTERS_UNCHECKED = 4


def find(pixels: Pixels) -> tuple[Code, ...]:
    """Find the codes that can be read through to the end."""
    height, width = pixels.shape[:2]
    codes = (_code(barcode, width, height) for barcode in zxingcpp.read_barcodes(pixels))
    return tuple(code for code in codes if code is not None)


def _code(barcode: zxingcpp.Barcode, width: int, height: int) -> Code | None:
    name = _NAMES.get(barcode.format.name)
    if not barcode.valid or not barcode.text or name is None:
        return None
    checked = name in _CHECKED
    if not checked and len(barcode.text) < _LEAST_CHARACTERS_UNCHECKED:
        return None
    corners = barcode.position
    points = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    xs, ys = [point.x for point in points], [point.y for point in points]
    box = Box.of_pixels(min(xs), min(ys), max(xs), max(ys), width, height)
    return Code(name, barcode.text, _SURE if checked else _LIKELY, box)
