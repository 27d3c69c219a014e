"""How stretches of speech are packed for a speech model."""

from __future__ import annotations

import pytest

from twinlens.domain.clip import Span
from twinlens.engines.builtin.facts import SpeechSpan
from twinlens.engines.builtin.sound.transcript import windows


def packed(*spans: tuple[float, float]) -> list[Span]:
    return list(windows(SpeechSpan(start, end, 0.9) for start, end in spans))


def test_what_fits_into_one_window_goes_there() -> None:
    assert packed((3, 9), (12, 20), (25, 33)) == [Span(3, 33)]


def test_what_does_not_fit_begins_another() -> None:
    assert packed((3, 9), (12, 20), (25, 34)) == [Span(3, 20), Span(25, 34)]


def test_long_speech_is_cut_into_equal_parts() -> None:
    assert packed((10, 85)) == [Span(10, 35), Span(35, 60), Span(60, 85)]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_more_is_made_of_it(count: int) -> None:
    assert packed(*[(1, 2)] * count) == [Span(1, 2)] * count
