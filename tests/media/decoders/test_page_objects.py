"""What is drawn on a page."""

from __future__ import annotations

import pytest

from twinlens.media.decoders.page_objects import Rect, View

PAGE = Rect(0, 0, 200, 100)


def test_what_two_rectangles_both_cover() -> None:
    assert Rect(0, 0, 10, 10).within(Rect(5, 5, 20, 20)) == Rect(5, 5, 10, 10)
    assert Rect(0, 0, 10, 10).within(Rect(20, 0, 30, 10)).area == 0


@pytest.mark.parametrize(
    ("quarters", "left", "top", "right", "bottom"),
    [(0, 0, 0, 0.5, 0.2), (1, 0.8, 0, 1, 0.5), (2, 0.5, 0.8, 1, 1), (3, 0, 0.5, 0.2, 1)],
)
def test_a_place_is_told_as_the_page_is_shown(
    quarters: int, left: float, top: float, right: float, bottom: float
) -> None:
    """The left half of the upper fifth, on a page that is turned clockwise."""
    shown = View(PAGE, quarters).shown(Rect(0, 80, 100, 100))

    assert (shown.left, shown.top, shown.right, shown.bottom) == pytest.approx((left, top, right, bottom))


def test_what_is_cut_off_lies_beyond_the_edge() -> None:
    shown = View(Rect(50, 0, 150, 100), 0).shown(Rect(0, 0, 100, 100))

    assert (shown.left, shown.right) == (-0.5, 0.5)
