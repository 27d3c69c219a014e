"""From a budget to a size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.geometry import PIXELS_PER_TOKEN, Fit, area32

SIDES = st.integers(1, 20_000)


def test_what_fits_is_not_enlarged() -> None:
    assert area32(64, 32, 1000) == Fit(64, 32, 2)


def test_what_is_too_large_keeps_its_aspect_ratio() -> None:
    fit = area32(4000, 2000, 200)

    assert fit.width / fit.height == pytest.approx(2, abs=0.01)
    assert fit.tokens == 200


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000)])
def test_a_side_never_vanishes(size: tuple[int, int]) -> None:
    fit = area32(*size, 1)

    assert min(fit.width, fit.height) == 1
    assert fit.width * fit.height <= PIXELS_PER_TOKEN


@given(SIDES, SIDES, st.integers(1, 3000))
def test_never_more_than_the_payload_is_spent(width: int, height: int, payload: int) -> None:
    fit = area32(width, height, payload)

    assert 1 <= fit.width <= width
    assert 1 <= fit.height <= height
    assert 1 <= fit.tokens <= payload
