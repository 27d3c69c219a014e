from __future__ import annotations

from twinlens.engines.builtin import layout
from twinlens.engines.builtin.layout import Rect


def prose(left: float, top: float, rows: int, width: float = 400, pitch: float = 30) -> list[Rect]:
    return [Rect(left, top + n * pitch, left + width, top + n * pitch + 20) for n in range(rows)]


def cells(lefts: tuple[float, ...], top: float, rows: int, pitch: float = 40) -> list[Rect]:
    return [Rect(x, top + n * pitch, x + 60, top + n * pitch + 20) for n in range(rows) for x in lefts]


def test_nothing_has_no_order() -> None:
    assert layout.blocks([]) == []


def test_columns_of_prose_come_one_after_the_other() -> None:
    rects = [*prose(500, 0, 5), *prose(0, 0, 5)]

    assert layout.blocks(rects) == [[5, 6, 7, 8, 9], [0, 1, 2, 3, 4]]


def test_a_heading_over_two_columns_comes_first() -> None:
    rects = [*prose(0, 60, 4), *prose(500, 60, 4), Rect(100, 0, 800, 40)]

    assert layout.blocks(rects) == [[8], [0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_note_under_two_columns_comes_last() -> None:
    rects = [Rect(100, 200, 800, 220), *prose(0, 0, 4), *prose(500, 0, 4)]

    assert layout.blocks(rects) == [[1, 2, 3, 4], [5, 6, 7, 8], [0]]


def test_three_columns_are_told_apart() -> None:
    rects = [*prose(0, 0, 4), *prose(500, 7, 4), *prose(1000, 3, 4)]

    assert layout.blocks(rects) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_table_is_read_row_by_row() -> None:
    rects = cells((0, 200, 400), 0, 4)

    assert layout.regions(rects) == [list(range(12))]


def test_a_side_bar_whose_entries_do_not_line_up_is_read_first() -> None:
    menu = cells((0,), 5, 6, pitch=33)
    rects = [*cells((300, 500, 700), 0, 5), *menu]

    assert layout.regions(rects) == [list(range(15, 21)), list(range(15))]


def test_white_space_and_size_part_paragraphs() -> None:
    rects = [Rect(0, 0, 300, 40), *prose(0, 60, 3), *prose(0, 190, 2)]

    assert layout.blocks(rects) == [[0], [1, 2, 3], [4, 5]]


def test_rows_bear_boxes_of_different_heights() -> None:
    rects = [Rect(0, 0, 50, 24), Rect(100, 2, 150, 20), Rect(0, 40, 50, 60)]

    assert layout.rows(rects, range(3)) == [[0, 1], [2]]


def test_spans_merge_what_overlaps_or_nearly_does() -> None:
    assert layout.spans([(5, 8), (0, 3), (9, 12), (20, 21)], gap=1) == [(0, 3), (5, 12), (20, 21)]


def test_every_box_is_read_once_however_wild_the_page() -> None:
    staircase = [Rect(n * 7 % 400, n * 13 % 900, n * 7 % 400 + 30, n * 13 % 900 + 9) for n in range(1000)]
    slats = [
        Rect(x * 9, y * 20 + x % 17, x * 9 + 6, y * 20 + x % 17 + 6) for x in range(300) for y in range(3)
    ]

    for rects in (staircase, slats):
        assert sorted(i for block in layout.blocks(rects) for i in block) == list(range(len(rects)))
