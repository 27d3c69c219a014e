"""Boxes are always well-formed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.regions import Box

edges = st.floats(-5000, 5000)
sizes = st.integers(1, 5000)


def test_a_box_is_y_first_in_thousandths() -> None:
    assert Box.of_pixels(100, 50, 300, 250, width=1000, height=500).as_list() == [100, 100, 500, 300]


@given(edges, edges, edges, edges, sizes, sizes)
def test_a_box_lies_within_the_image_and_is_never_empty(
    left: float, top: float, right: float, bottom: float, width: int, height: int
) -> None:
    box = Box.of_pixels(left, top, right, bottom, width, height)

    assert 0 <= box.ymin < box.ymax <= 1000
    assert 0 <= box.xmin < box.xmax <= 1000
