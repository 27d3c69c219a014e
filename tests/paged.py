"""Makes documents as an engine gets them: pages of lines made by hand, and scans drawn from them."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from twinlens.domain.engine_media import Document, PageImage, PageText, TextLine
from twinlens.domain.media import Image
from twinlens.domain.regions import Box
from twinlens.engines.builtin.facts import Line

Lines = Sequence[TextLine]
_HEIGHT = 12


def line(text: str, x: int, y: int, height: int = _HEIGHT) -> TextLine:
    """Make a line of letters that are about half as wide as high."""
    return TextLine(text, Box(y, x, y + height, min(x + round(len(text) * height * 0.7), 1000)))


def paragraph(text: str, y: int, x: int = 100, columns: int = 90) -> list[TextLine]:
    """Make the lines of a paragraph."""
    return [line(part, x, y + 17 * row) for row, part in enumerate(textwrap.wrap(text, columns))]


def grid(
    rows: Sequence[Sequence[str]], y: int, lefts: Sequence[int] = (100, 400, 550, 750)
) -> list[TextLine]:
    """Make the cells of a table; an empty cell is no line."""
    return [
        line(cell, x, y + 20 * number)
        for number, row in enumerate(rows)
        for cell, x in zip(row, lefts, strict=False)
        if cell
    ]


@dataclass
class Paper:
    """A document of such pages, which records the numbers of the texts and images that were read."""

    pages: Sequence[Lines]
    scans: Sequence[int] = ()
    texts_read: list[int] = field(default_factory=list)
    images_read: list[int] = field(default_factory=list)

    @property
    def document(self) -> Document:
        """The document; scanned pages have their text in the image alone."""
        return Document("application/pdf", len(self.pages), str(id(self)), self._texts, self._images)

    async def _texts(self, which: Sequence[int]) -> AsyncGenerator[PageText, None]:
        for number in which:
            self.texts_read.append(number)
            is_scan = number in self.scans
            yield PageText(number, () if is_scan else tuple(self.pages[number - 1]), is_scan)

    async def _images(self, which: Sequence[int]) -> AsyncGenerator[PageImage, None]:
        for number in which:
            self.images_read.append(number)
            yield PageImage(number, drawn(self.pages[number - 1], f"{id(self)}/{number}"))


def drawn(lines: Lines, digest: str, width: int = 640, height: int = 905) -> Image:
    """Draw the lines of a page."""
    picture = Picture.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for one in lines:
        place = one.box.xmin * width / 1000, one.box.ymin * height / 1000
        size = (one.box.ymax - one.box.ymin) * height / 1000 * 1.3
        draw.text(place, one.text, fill="black", font=ImageFont.load_default(size))
    return Image(np.asarray(picture), width * 2, height * 2, "application/pdf", 560, digest)


REPORT = (
    line("Annual Report 2025", 100, 80, 30),
    *paragraph(
        "Northwind Energy is a maker of pumps and valves for water works. The company was founded in 1987 in "
        "Bergen by Ingrid Solberg and employs 412 people. Its pumps are sold in thirty countries.",
        150,
    ),
    line("1. Revenue", 100, 260, 18),
    *paragraph(
        "Revenue grew by 12% to 48.3 million euros because orders from the harbour towns doubled. The valves "
        "division shrank by two percent, as expected.",
        300,
    ),
)
INVOICE = (
    line("INVOICE", 100, 60, 25),
    line("Invoice No.", 100, 120),
    line("INV-77", 300, 120),
    line("Date: 3 May 2025", 100, 140),
    line("Bill to", 100, 170),
    line("Jane Doe", 100, 187),
    *grid(
        (
            ("Item", "Qty", "Unit price", "Amount"),
            ("Pump X200", "2", "450.00", "900.00"),
            ("Valve B", "5", "20.00", "100.00"),
        ),
        300,
    ),
)
TERMS = (
    *grid(
        (("Hose C", "7", "10.00", "70.00"), ("Seal D", "1", "4.00", "4.00"), ("", "", "Total", "1,074.00")),
        80,
    ),
    *paragraph(
        "The warranty lasts two years from the date of delivery. It covers all parts but seals. "
        "The pump must not run dry.",
        300,
    ),
)


def report(scans: Sequence[int] = ()) -> Paper:
    """Make a document of three pages: a report, an invoice, and the rest of the invoice with its terms."""
    return Paper((REPORT, INVOICE, TERMS), scans)


def page_lines(lines: Lines) -> tuple[Line, ...]:
    """Return lines as if they had been recognised in an image."""
    return tuple(Line(one.text, 0.95, one.box, (), index) for index, one in enumerate(lines))
