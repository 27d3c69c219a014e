"""The text of pages: words, places, order, and what is a scan."""

from __future__ import annotations

import io

import pytest

import pdfs
from pdfs import Page, column, image_at, text_at
from twinlens.media.decoders.page_text import Line, clean, read
from twinlens.media.decoders.pdf import Pdf


def read_page(sheet: Page) -> tuple[list[Line], bool]:
    with Pdf.opened(io.BytesIO(pdfs.document([sheet]))) as pdf, pdf.page(0) as page:
        return read(page)


def texts(sheet: Page) -> list[str]:
    return [line.text for line in read_page(sheet)[0]]


def place(sheet: Page) -> list[float]:
    (line,) = read_page(sheet)[0]
    return [round(part, 2) for part in (line.place.left, line.place.top, line.place.right, line.place.bottom)]


def test_lines_come_from_top_to_bottom() -> None:
    assert texts(Page(column(["First (line)", "Second line"], 72, 700))) == ["First (line)", "Second line"]


def test_a_line_tells_where_it_stands() -> None:
    assert place(Page(text_at("HHHHH", 0, 50, size=20), size=(100, 100))) == [0.02, 0.36, 0.71, 0.5]


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (0, [0.02, 0.36, 0.71, 0.5]),
        (90, [0.5, 0.02, 0.64, 0.71]),
        (180, [0.29, 0.5, 0.98, 0.64]),
        (270, [0.36, 0.29, 0.5, 0.98]),
    ],
)
def test_a_turned_page_is_measured_as_it_is_shown(turn: int, expected: list[float]) -> None:
    assert place(Page(text_at("HHHHH", 0, 50, size=20), size=(100, 100), extra=f"/Rotate {turn}")) == expected


def test_places_are_relative_to_what_is_left_by_cropping() -> None:
    sheet = Page(text_at("HHHHH", 100, 650, size=20), extra="/CropBox [100 600 200 700]")

    assert place(sheet) == [0.02, 0.36, 0.71, 0.5]


def test_text_that_cropping_hides_is_left_out() -> None:
    sheet = Page(text_at("shown", 100, 650) + text_at("hidden", 400, 650), extra="/CropBox [50 600 300 700]")

    assert texts(sheet) == ["shown"]


def test_columns_are_not_joined() -> None:
    sheet = Page(text_at("left", 72, 700) + text_at("right", 320, 700))

    assert texts(sheet) == ["left", "right"]


def test_a_gap_within_one_drawn_text_parts_it_too() -> None:
    assert texts(Page("BT /F 12 Tf 72 700 Td [(left one) -9000 (right one)] TJ ET")) == [
        "left one",
        "right one",
    ]


def test_words_drawn_apart_have_one_space_between_them() -> None:
    drawn = (
        text_at("one", 72, 700) + text_at("two", 94, 700) + "BT /F 12 Tf 118 700 Td [(th) -20 (ree)] TJ ET\n"
    )

    assert texts(Page(drawn)) == ["one two three"]


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [f"Left column, line {number} of it" for number in range(4)]
    right = [f"Right column, line {number} of it" for number in range(4)]
    across = "".join(
        text_at(one, 60, 700 - 15 * row) + text_at(other, 330, 700 - 15 * row)
        for row, (one, other) in enumerate(zip(left, right, strict=True))
    )

    assert texts(Page(column(left, 60, 700) + column(right, 330, 700))) == [*left, *right]
    assert texts(Page(text_at("Heading", 60, 740) + across)) == ["Heading", *left, *right]


def test_a_word_that_is_cut_at_the_end_of_a_line_stays_in_two_lines() -> None:
    sheet = Page(column(["an exam\u00ad", "ple of a divi-", "sion"], 72, 700))

    assert texts(sheet) == ["an exam-", "ple of a divi-", "sion"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\ufb01ve \ufb02ags o\ufb00 o\ufb03ce", "five flags off office"),
        ("co\u00adoperate", "cooperate"),
        ("a\u00a0 b \t c ", "a b c"),
        ("\x00\x02a\ud800b\ufeff\x7f", "ab"),
        ("nai\u0308ve \U0001f600 日本", "nai\u0308ve \U0001f600 日本"),
        ("\x01\u00ad", ""),
    ],
)
def test_text_is_cleaned_of_what_nobody_sees(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_a_picture_without_text_is_a_scan() -> None:
    sheet = Page(image_at("P", *pdfs.LETTER), pictures={"P": pdfs.jpeg()})

    assert read_page(sheet) == ([], True)


def test_pictures_that_cover_the_page_together_are_a_scan() -> None:
    shown = pdfs.jpeg((100, 50))
    sheet = Page(image_at("P", 612, 396) + image_at("P", 612, 396, y=396), pictures={"P": shown})

    assert read_page(sheet)[1]


def test_a_stamp_on_a_scan_leaves_it_one() -> None:
    over = text_at("Page 7", 300, 20)
    sheet = Page(image_at("P", *pdfs.LETTER) + over, pictures={"P": pdfs.jpeg()}, extra="/Rotate 90")

    assert read_page(sheet)[1]


def test_a_scan_that_has_been_read_carries_text() -> None:
    over = "BT 3 Tr /F 12 Tf 72 700 Td (The text that a scanner has read on this page) Tj ET"
    sheet = Page(image_at("P", *pdfs.LETTER) + over, pictures={"P": pdfs.jpeg()})

    assert texts(sheet) == ["The text that a scanner has read on this page"]
    assert not read_page(sheet)[1]


@pytest.mark.parametrize("width", [0, 100, 300])
def test_an_empty_page_and_one_with_a_small_picture_are_no_scan(width: int) -> None:
    drawn = image_at("P", width, width) if width else ""

    assert read_page(Page(drawn, pictures={"P": pdfs.jpeg((10, 10))})) == ([], False)
