from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from twinlens.domain.media import Pixels
from twinlens.domain.regions import Box
from twinlens.engines.builtin import kind
from twinlens.engines.builtin.facts import Line, Word

Colour = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
PHOTOGRAPHS = (
    *("astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "grass", "gravel", "brick", "moon"),
    *("retina", "cell", "hubble_deep_field", "immunohistochemistry"),
)


def photograph(name: str) -> Pixels:
    pixels = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels[..., :3])


def jpeg(pixels: Pixels) -> Pixels:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


class Sheet:
    """A canvas that remembers the lines written on it, as reading would find them."""

    def __init__(self, height: int, width: int, ground: Colour = WHITE) -> None:
        self.pixels: Pixels = np.full((height, width, 3), ground, np.uint8)
        self.lines: list[Line] = []

    def write(self, text: str, left: int, bottom: int, colour: Colour = BLACK, size: float = 0.5) -> None:
        cv2.putText(self.pixels, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
        (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        height, width = self.pixels.shape[:2]
        box = Box.of_pixels(left, bottom - high, left + wide, bottom, width, height)
        self.lines.append(Line(text, 0.98, box, tuple(Word(word, box) for word in text.split()), 0))

    def fill(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        cv2.rectangle(self.pixels, (left, top), (right, bottom), colour, -1)

    def told(self, read: bool = True) -> str:
        return kind.tell(self.pixels, tuple(self.lines) if read else None).name


def page() -> Sheet:
    sheet = Sheet(1000, 720)
    for row in range(80, 940, 24):
        sheet.write("The quick brown fox jumps over the lazy dog and runs on", 50, row, size=0.55)
    return sheet


def receipt() -> Sheet:
    sheet = Sheet(900, 500)
    for index, price in enumerate((3.49, 12.0, 0.99, 7.25, 1.1, 22.0, 5.75, 4.2, 8.8, 2.35, 9.0, 3.3)):
        sheet.write("Fresh milk and bread", 30, 80 + 50 * index, size=0.6)
        sheet.write(f"{price:.2f}", 400, 80 + 50 * index, size=0.6)
    return sheet


def window(ground: Colour, ink: Colour, panel: Colour) -> Sheet:
    sheet = Sheet(700, 1100, ground)
    sheet.fill(0, 0, 1100, 44, (40, 90, 200))
    sheet.write("My Mail", 16, 28, WHITE)
    sheet.fill(0, 45, 200, 700, panel)
    for row in range(80, 660, 34):
        sheet.write("Inbox", 20, row, ink)
        sheet.write("Jane Doe", 230, row, ink)
        sheet.write("Meeting notes", 420, row, ink)
        sheet.write("Yesterday", 900, row, ink)
    return sheet


def bars(ticks: bool = True) -> Sheet:
    sheet = Sheet(480, 640)
    cv2.line(sheet.pixels, (80, 40), (80, 420), BLACK, 1)
    cv2.line(sheet.pixels, (80, 420), (600, 420), BLACK, 1)
    for index, high in enumerate((120, 300, 210, 80)):
        sheet.fill(110 + 120 * index, 420 - high, 190 + 120 * index, 419, (60, 110, 190))
        sheet.write(("North", "East", "South", "West")[index], 120 + 120 * index, 445)
    for value in (0, 20, 40, 60) if ticks else ():
        text = str(value)
        wide = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0]
        sheet.write(text, 70 - wide, 425 - value * 6)
    return sheet


def pie() -> Sheet:
    sheet = Sheet(500, 500)
    start = 0.0
    for share, colour in ((45, (200, 60, 60)), (30, (60, 160, 60)), (25, (60, 60, 200))):
        end = start + share * 3.6
        cv2.ellipse(sheet.pixels, (250, 250), (180, 180), 0, start, end, colour, -1)
        middle = np.radians((start + end) / 2)
        sheet.write(f"{share}%", int(235 + 100 * np.cos(middle)), int(255 + 100 * np.sin(middle)), WHITE)
        start = end
    return sheet


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_told(name: str) -> None:
    assert kind.tell(photograph(name), ()).name == "photograph"


@pytest.mark.parametrize("read", [True, False])
def test_a_page_of_prose_is_a_document(read: bool) -> None:
    assert page().told(read) == "document"


def test_a_photographed_page_is_a_document() -> None:
    ground = np.asarray(cv2.resize(photograph("grass"), (900, 1200)), np.uint8)
    sheet = page()
    ground[100:1100, 90:810] = (sheet.pixels * 0.8).astype(np.uint8)

    assert kind.tell(jpeg(ground), tuple(sheet.lines)).name == "document"


def test_prices_in_a_column_make_no_chart() -> None:
    assert receipt().told() == "document"


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    ("ground", "ink", "panel"),
    [((250, 250, 252), (40, 40, 45), (228, 231, 236)), ((30, 31, 36), (225, 225, 230), (48, 50, 58))],
    ids=["light", "dark"],
)
def test_words_in_panels_are_a_screenshot(ground: Colour, ink: Colour, panel: Colour, read: bool) -> None:
    assert window(ground, ink, panel).told(read) == "screenshot"


def test_numbered_lines_make_no_chart() -> None:
    sheet = window((30, 31, 36), (225, 225, 230), (48, 50, 58))
    for number in range(1, 19):
        sheet.write(str(number), 205, 46 + 34 * number, (150, 150, 150), 0.4)

    assert sheet.told() == "screenshot"


def test_numbers_along_an_axis_are_a_chart() -> None:
    assert bars().told() == "chart"


def test_percentages_of_one_whole_are_a_chart() -> None:
    assert pie().told() == "chart"


def test_a_chart_stays_one_through_jpeg() -> None:
    sheet = bars()

    assert kind.tell(jpeg(sheet.pixels), tuple(sheet.lines)).name == "chart"


@pytest.mark.parametrize("lines", [(), None])
def test_shapes_without_words_are_a_drawing(lines: tuple[Line, ...] | None) -> None:
    sheet = Sheet(600, 800)
    cv2.circle(sheet.pixels, (250, 300), 120, (0, 140, 60), -1, cv2.LINE_AA)
    sheet.fill(450, 200, 650, 400, (200, 30, 30))

    assert kind.tell(sheet.pixels, lines).name == "drawing"


@pytest.mark.parametrize(("name", "grey"), [("camera", True), ("coins", True), ("coffee", False)])
def test_a_picture_without_colour_is_grey(name: str, grey: bool) -> None:
    assert kind.tell(jpeg(photograph(name)), ()).grey is grey


def test_a_coloured_mark_on_a_white_page_is_not_grey() -> None:
    sheet = page()
    sheet.fill(500, 20, 640, 70, (200, 30, 30))

    assert not kind.tell(sheet.pixels, tuple(sheet.lines)).grey


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (2000, 2)])
def test_the_smallest_and_thinnest_pictures_are_looked_at(shape: tuple[int, int]) -> None:
    told = kind.tell(np.zeros((*shape, 3), np.uint8), None)

    assert told.name == "drawing"
    assert told.grey
