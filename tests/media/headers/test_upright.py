"""The turn that makes an image upright."""

from __future__ import annotations

import pytest

from twinlens.media.headers.upright import Header


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_quarter_turn_swaps_the_sides(orientation: int) -> None:
    swapped = orientation in (5, 6, 7, 8)

    assert Header(40, 30, orientation).upright == ((30, 40) if swapped else (40, 30))
