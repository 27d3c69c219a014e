from __future__ import annotations

import paged
from twinlens.domain.engine_media import PageText, TextLine
from twinlens.domain.regions import Box
from twinlens.engines.builtin.documents.pages import LANDSCAPE, PORTRAIT, Page, page_of, sentences_of


def page(*lines: TextLine) -> Page:
    return page_of(PageText(1, lines))


def test_paragraphs_and_headings_are_blocks() -> None:
    found = page(*paged.REPORT)

    assert [line.block for line in found.lines] == [0, 1, 1, 1, 2, 3, 3]
    assert found.headings == ("Annual Report 2025", "1. Revenue")


def test_a_passage_knows_its_heading() -> None:
    found = page(*paged.REPORT)

    (passage,) = [passage for passage in found.passages if "harbour" in passage.text]
    assert passage.heading == "1. Revenue"


def test_a_word_cut_at_the_end_of_a_line_is_whole_in_its_passage() -> None:
    found = page(
        paged.line("It takes a long time to under-", 100, 100),
        paged.line("stand this.", 100, 117),
    )

    assert [passage.text for passage in found.passages] == ["It takes a long time to understand this."]


def test_items_of_a_list_are_passages() -> None:
    found = page(
        paged.line("Bring these things to the meeting on Monday morning:", 100, 100),
        paged.line("• a pen", 100, 117),
        paged.line("• a notebook with lines", 100, 134),
    )

    assert [passage.text for passage in found.passages][1:] == ["• a pen", "• a notebook with lines"]


def test_wide_gaps_part_the_cells_of_a_line() -> None:
    rows = ("Name      Age", "Ann       39", "Bob       41")
    lines = [TextLine(row, Box(100 + 20 * y, 100, 112 + 20 * y, 360)) for y, row in enumerate(rows)]

    (table,) = page(*lines).tables

    assert table.rows == (("Name", "Age"), ("Ann", "39"), ("Bob", "41"))


def test_what_stands_far_above_a_table_is_no_column_of_it() -> None:
    (table,) = page(*paged.INVOICE).tables

    assert table.rows[0] == ("Item", "Qty", "Unit price", "Amount")


def test_the_shape_of_the_letters_tells_how_a_page_lies() -> None:
    upright = TextLine("A line of thirty-two letters here", Box(100, 100, 112, 380))
    lying = TextLine("A line of thirty-two letters here", Box(100, 100, 124, 300))

    assert page(upright).size == PORTRAIT
    assert page(lying).size == LANDSCAPE


def test_abbreviations_end_no_sentence() -> None:
    text = "See Fig. 3 and No. 7 of Dr. Smith. It rained. “Did it?” Yes."

    assert sentences_of(text) == ["See Fig. 3 and No. 7 of Dr. Smith.", "It rained.", "“Did it?”", "Yes."]


def test_an_empty_page_has_nothing() -> None:
    found = page()

    assert (found.text, found.headings, found.passages, found.tables) == ("", (), (), ())
