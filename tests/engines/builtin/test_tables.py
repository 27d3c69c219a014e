from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from twinlens.domain.media import Pixels
from twinlens.domain.regions import Box
from twinlens.engines.builtin import tables
from twinlens.engines.builtin.facts import Line, Word
from twinlens.engines.builtin.text import Reader

FONT = str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))
ITEMS = (
    ("Item", "Description", "Qty", "Unit price", "Amount"),
    ("1", "Blue notebook A5", "12", "3.50", "42.00"),
    ("2", "Desk lamp", "1", "49.90", "49.90"),
    ("3", "Printer paper box", "5", "21.00", "105.00"),
    ("4", "USB cable 2 m", "3", "7.25", "21.75"),
    ("", "", "", "Total", "218.65"),
)


def invoice() -> Pixels:
    face = ImageFont.truetype(FONT, 22)
    picture = Image.new("RGB", (1100, 760), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((70, 50), "INVOICE 2024-117", font=ImageFont.truetype(FONT, 34), fill="black")
    draw.text((70, 120), "Northwind Office Supplies, 12 Harbour Street", font=face, fill="black")
    draw.text((70, 155), "Date: 14 March 2024", font=face, fill="black")
    for index, row in enumerate(ITEMS):
        y = 260 + index * 48
        draw.line((60, y - 10, 1030, y - 10), fill=(180, 180, 180))
        for x, cell in zip((70, 150), row[:2], strict=True):
            draw.text((x, y), cell, font=face, fill="black")
        for right, cell in zip((640, 840, 1010), row[2:], strict=True):
            draw.text((right - face.getlength(cell), y), cell, font=face, fill="black")
    draw.text(
        (70, 640), "Thank you for your order. Payment is due within thirty days.", font=face, fill="black"
    )
    return np.asarray(picture)


def line(text: str, x: int, y: int, width: int = 0) -> Line:
    box = Box(y, x, y + 20, x + (width or 10 * len(text)))
    return Line(text, 0.98, box, (Word(text, box),), 0)


def grid(
    rows: tuple[tuple[str, ...], ...], lefts: tuple[int, ...], top: int = 100, pitch: int = 30
) -> list[Line]:
    return [
        line(cell, x, top + number * pitch)
        for number, row in enumerate(rows)
        for x, cell in zip(lefts, row, strict=True)
        if cell
    ]


def test_the_table_of_an_invoice_is_exact(reader: Reader) -> None:
    picture = invoice()

    (table,) = tables.find(reader.read(picture), 1100, 760)

    assert table.rows == ITEMS
    assert np.allclose(table.box.as_list(), [330, 60, 690, 920], atol=25)


def test_missing_cells_are_empty() -> None:
    rows = (("Name", "Age", "City"), ("Ann", "", "Rome"), ("Bob", "41", ""))

    (table,) = tables.find(grid(rows, (100, 300, 500)), 1000, 1000)

    assert table.rows == rows


def test_a_heading_set_off_from_its_numbers_still_heads_them() -> None:
    lines = [
        *grid((("Product", "Amount"),), (100, 400)),
        *grid((("Tea", "9.50"), ("Coffee", "12.00"), ("Milk", "1.20")), (100, 520), top=130),
    ]

    (table,) = tables.find(lines, 1000, 1000)

    assert table.rows == (("Product", "Amount"), ("Tea", "9.50"), ("Coffee", "12.00"), ("Milk", "1.20"))


def test_titles_and_notes_are_left_out() -> None:
    rows = (("Name", "Age"), ("Ann", "39"), ("Bob", "41"))
    lines = [line("Members", 100, 60), *grid(rows, (100, 300)), line("As of May", 100, 200)]

    (table,) = tables.find(lines, 1000, 1000)

    assert table.rows == rows


def test_two_tables_apart_are_two() -> None:
    first, second = (("a", "1"), ("b", "2"), ("c", "3")), (("d", "4"), ("e", "5"), ("f", "6"))
    lines = [*grid(first, (100, 300)), *grid(second, (100, 300), top=500)]

    assert [table.rows for table in tables.find(lines, 1000, 1000)] == [first, second]


def test_prose_is_no_table() -> None:
    lines = [line("word " * 14, 100, 100 + 30 * row, width=700) for row in range(10)]

    assert tables.find(lines, 1000, 1400) == ()


def test_two_columns_of_prose_are_no_table() -> None:
    lines = [line("word " * 7, x, 100 + 30 * row, width=360) for row in range(10) for x in (100, 540)]

    assert tables.find(lines, 1000, 1400) == ()


def test_scattered_labels_are_no_table() -> None:
    places = ((100, 100), (400, 130), (700, 160), (250, 190), (550, 220))

    assert tables.find([line("label", x, y) for x, y in places], 1000, 1000) == ()


def test_no_lines_hold_no_table() -> None:
    assert tables.find((), 1000, 1000) == ()
