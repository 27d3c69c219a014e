"""Reading order, from places alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from twinlens.media.decoders.reading_order import in_order


@dataclass(frozen=True)
class Place:
    left: float
    top: float
    right: float
    bottom: float


def line(column: int, row: float, *, wide: float = 40) -> Place:
    return Place(50 * column, 10 * row, 50 * column + wide, 10 * row + 8)


PROSE, CELL = 40, 6


def test_no_lines_have_an_order() -> None:
    assert in_order([], []) == []


def test_one_column_stays_as_it_was_written() -> None:
    assert in_order([line(0, row) for row in range(5)], [PROSE] * 5) == [0, 1, 2, 3, 4]


def test_a_column_written_after_the_other_stays_after_it() -> None:
    places = [line(column, row) for column in range(2) for row in range(5)]

    assert in_order(places, [PROSE] * 10) == list(range(10))


def test_columns_of_prose_written_across_are_read_down() -> None:
    places = [line(column, row) for row in range(5) for column in range(2)]

    assert in_order(places, [PROSE] * 10) == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]


def test_a_table_is_read_row_by_row() -> None:
    places = [line(column, row) for row in range(5) for column in range(3)]

    assert in_order(places, [CELL] * 15) == list(range(15))


def test_a_heading_comes_before_the_columns_and_a_foot_after_them() -> None:
    columns = [line(column, row + 2) for row in range(5) for column in range(2)]
    places = [*columns, line(0, 0), line(0, 8.5)]

    assert in_order(places, [PROSE] * 12) == [10, 0, 2, 4, 6, 8, 1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize("lines", [2, 7, 50])
def test_lines_written_from_the_foot_up_are_read_from_the_head_down(lines: int) -> None:
    places = [line(0, row) for row in reversed(range(lines))]

    assert in_order(places, [PROSE] * lines) == list(reversed(range(lines)))


def test_every_line_is_kept_whatever_the_layout() -> None:
    places = [line(place * 7 % 5, place * 13 % 11 / 3, wide=place % 9) for place in range(300)]

    assert sorted(in_order(places, [PROSE, CELL] * 150)) == list(range(300))
