"""The pictures of the demo, made when it runs: a photograph, a page, a screenshot, a chart, an invoice."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import matplotlib as mpl
import skimage
from PIL import Image, ImageDraw, ImageFont

A4_150_DPI = (1240, 1754)
INK, GREY, LINE, BLUE, DARK = "#202020", "#6b7280", "#d5d9e0", "#2563eb", "#1f2937"

TERMS = """
The reading room opens at nine every morning and closes at seven in the evening, except on Sundays.
Members may borrow twelve volumes at once; atlases, newspapers and manuscripts stay in the building.
Loans last twenty eight days and are renewed twice by telephone, provided nobody else is waiting.
Overdue volumes cost fifteen cents daily, and borrowing is suspended above ten euros of arrears.
Whoever damages a binding, loses pages or writes in margins pays for repair or replacement.
Interlibrary requests need the full title, the author, a year and, where known, the shelf mark.
Photographs without flash are welcome; tripods require written permission from the duty librarian.
Coats, umbrellas and bags larger than a sheet of office paper belong in the lockers downstairs.
Drinking water in closed bottles is tolerated upstairs, while food remains strictly outside.
Study cabins are reserved for four hours and released when they stay empty twenty minutes.
Printing costs eight cents for monochrome and thirty cents for colour, payable at the front desk.
Children under eleven visit with an adult, who answers for noise, running and sticky fingers.
Microfilm readers stand in the basement; ask for a short introduction before the first session.
Donated collections are examined in autumn, and duplicates are sold for charity every spring.
Lost membership cards are replaced for five euros after an identity document has been shown.
Opinions, complaints and praise reach the director through the wooden box beside the staircase.
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and the text that stands in it."""

    name: str
    image: Image.Image
    text: str = ""

    @property
    def size(self) -> str:
        """Width and height, as people write them."""
        return f"{self.image.width} × {self.image.height}"

    def png(self) -> bytes:
        """Encode the picture without loss."""
        out = io.BytesIO()
        self.image.save(out, "PNG")
        return out.getvalue()

    def words_in(self, answer: str) -> tuple[int, int]:
        """Count how many of the picture's words an answer holds, and how many there are."""
        there, said = Counter(_words(self.text)), Counter(_words(answer))
        return (there & said).total(), there.total()


def photograph(name: str = "astronaut.png") -> Picture:
    """Take a photograph that comes with scikit-image, the portrait of an astronaut or another."""
    with Image.open(Path(skimage.__file__).parent / "data" / name) as image:
        return Picture("photograph", image.convert("RGB"))


def page() -> Picture:
    """Set a page of small print that gets smaller and smaller: A4 at 150 dpi, 8, 6 and 4 points."""
    canvas = _Canvas(A4_150_DPI)
    canvas.text(110, 110, "Terms of the Harbour Street Library", 38, bold=True)
    for row, line in enumerate(TERMS.strip().splitlines()):
        canvas.text(110, 210 + 88 * row, line, 17 if row < 6 else 13 if row < 12 else 9)
    canvas.text(110, 1650, "Page one of one", 17, GREY)
    return canvas.picture("small print")


def screenshot() -> Picture:
    """Draw a window of a program: a dark side bar, buttons, and a list in 13 pixel type."""
    canvas = _Canvas((1280, 800))
    canvas.box((0, 0, 220, 800), DARK)
    for row, name in enumerate(("Overview", "Orders", "Customers", "Invoices", "Reports", "Settings")):
        canvas.text(28, 84 + 40 * row, name, 14, "white" if name == "Orders" else "#9ca3af")
    canvas.text(28, 28, "Northwind", 18, "white", bold=True)
    canvas.text(260, 32, "Orders of this week", 22, bold=True)
    canvas.box((1120, 28, 1240, 64), BLUE)
    canvas.text(1146, 38, "New order", 13, "white")
    rows = [
        ("Number", "Customer", "Product", "Status", "Amount"),
        ("10248", "Bergmann Optics", "Field telescope", "Shipped", "1,240.00"),
        ("10249", "Studio Larsson", "Drawing table", "Waiting", "389.50"),
        ("10250", "Hotel Miramar", "Reading lamps", "Paid", "2,115.00"),
        ("10251", "Okafor Bakery", "Dough mixer", "Cancelled", "760.25"),
        ("10252", "Tanaka Motors", "Torque wrench", "Shipped", "148.90"),
    ]
    for row, cells in enumerate(rows):
        for column, cell in zip((260, 380, 600, 820, 1000), cells, strict=True):
            canvas.text(column, 110 + 44 * row, cell, 13, GREY if row == 0 else INK)
        canvas.box((260, 142 + 44 * row, 1240, 143 + 44 * row), LINE)
    return canvas.picture("screenshot")


def chart() -> Picture:
    """Plot a bar chart."""
    mpl.use("Agg")
    from matplotlib import pyplot

    names, values = ("North", "East", "South", "West", "Centre"), (42, 31, 58, 24, 49)
    figure, axes = pyplot.subplots(figsize=(8, 5), dpi=120)
    axes.bar(names, values, color=BLUE)
    axes.set_title("Visitors by district")
    axes.set_ylabel("Thousands")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    pyplot.close(figure)
    ticks = " ".join(str(tick) for tick in range(0, 61, 10))
    with Image.open(out) as image:
        return Picture("chart", image.convert("RGB"), f"Visitors by district {' '.join(names)} {ticks}")


@dataclass(frozen=True, slots=True)
class Bill:
    """What the invoice says; the extraction has to find the same."""

    invoice_number: str = "2026-0417"
    invoice_date: date = date(2026, 3, 14)
    customer: str = "Hotel Miramar"
    total: float = 2516.85


def invoice(bill: Bill) -> Picture:
    """Set an invoice with a table and totals."""
    canvas = _Canvas((1000, 900))
    canvas.text(70, 60, "Larsson Lighting", 34, bold=True)
    canvas.text(760, 66, "INVOICE", 34, GREY, bold=True)
    facts = (
        ("Invoice number:", bill.invoice_number),
        ("Invoice date:", bill.invoice_date.isoformat()),
        ("Customer:", bill.customer),
    )
    for row, (label, value) in enumerate(facts):
        canvas.text(70, 170 + 42 * row, label, 22, GREY)
        canvas.text(300, 170 + 42 * row, value, 22)
    rows = (
        ("Description", "Quantity", "Price", "Amount"),
        ("Reading lamp, brass", "12", "89.00", "1068.00"),
        ("Ceiling light, opal", "6", "174.50", "1047.00"),
    )
    _table(canvas, 360, rows)
    for row, (label, amount) in enumerate((("Subtotal", "2115.00"), ("VAT 19%", "401.85"))):
        canvas.text(560, 560 + 44 * row, label, 22, GREY)
        canvas.text(800, 560 + 44 * row, amount, 22)
    canvas.text(560, 660, "Total", 24, bold=True)
    canvas.text(800, 660, f"{bill.total:.2f}", 24, bold=True)
    return canvas.picture("invoice")


def with_boxes(image: Image.Image, boxes: Iterable[tuple[Sequence[int], str]]) -> Image.Image:
    """Draw boxes ([ymin, xmin, ymax, xmax], 0 to 1000) and their labels into a copy."""
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    for (ymin, xmin, ymax, xmax), label in boxes:
        x0, x1 = (x * image.width // 1000 for x in (xmin, xmax))
        y0, y1 = (y * image.height // 1000 for y in (ymin, ymax))
        pen.rectangle((x0, y0, x1, y1), outline="lime", width=3)
        tag = pen.textbbox((x0, y0 - 18), label, font=font(14))
        pen.rectangle((tag[0] - 3, tag[1] - 2, tag[2] + 3, tag[3] + 2), fill="lime")
        pen.text((x0, y0 - 18), label, fill="black", font=font(14))
    return drawn


def _table(canvas: _Canvas, top: int, rows: Sequence[Sequence[str]]) -> None:
    for row, cells in enumerate(rows):
        for column, cell in zip((70, 440, 600, 800), cells, strict=True):
            canvas.text(column, top + 54 * row, cell, 20, GREY if row == 0 else INK)
        canvas.box((70, top + 38 + 54 * row, 930, top + 39 + 54 * row), LINE)


class _Canvas:
    """A white sheet that remembers the words written on it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._image = Image.new("RGB", size, "white")
        self._pen = ImageDraw.Draw(self._image)
        self._said: list[str] = []

    def text(self, x: int, y: int, said: str, size: int, fill: str = INK, *, bold: bool = False) -> None:
        self._pen.text((x, y), said, fill=fill, font=font(size, bold=bold))
        self._said.append(said)

    def box(self, corners: tuple[int, int, int, int], fill: str) -> None:
        self._pen.rectangle(corners, fill=fill)

    def picture(self, name: str) -> Picture:
        return Picture(name, self._image, "\n".join(self._said))


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path(), "fonts", "ttf", name)), size)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9][a-z0-9.,-]*[a-z0-9]|[a-z0-9]", text.lower())
