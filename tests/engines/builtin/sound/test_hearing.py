"""What is told of a recording: where somebody speaks, where it is quiet, how loud it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import speech
from twinlens.domain.clip import Span
from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.engines.builtin.facts import Hearing
from twinlens.engines.builtin.sound.hearing import Carried, Listener, conclude


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


def hearing(listener: Listener, samples: Samples, start: float = 0, piece: int = 16_000) -> Hearing:
    scores, powers, carried = [], [], Carried.nothing()
    for at in range(0, len(samples), piece):
        heard = listener.hear(samples[at : at + piece], carried)
        scores.append(heard.scores)
        powers.append(heard.powers)
        carried = heard.carried
    span = Span(start, start + len(samples) / SAMPLE_RATE)
    return conclude(np.concatenate(scores), np.concatenate(powers), span)


def edges(found: Hearing) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in found.speech]


def assert_near(found: list[tuple[float, float]], wanted: Sequence[tuple[float, float]]) -> None:
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.15)


def test_speech_is_found_where_it_is(listener: Listener) -> None:
    spoken = [(1.0, 3.0), (4.5, 6.0)]

    found = hearing(listener, speech.recording(7, spoken))

    assert_near(edges(found), spoken)
    assert all(span.score > 0.8 for span in found.speech)


def test_times_are_those_of_the_recording(listener: Listener) -> None:
    found = hearing(listener, speech.recording(3, [(1, 2)]), start=3_600)

    assert_near(edges(found), [(3_601, 3_602)])


def test_odd_pieces_make_no_difference(listener: Listener) -> None:
    samples = speech.recording(4, [(1, 2), (2.8, 3.5)])

    found = hearing(listener, samples, piece=777)

    assert_near(edges(found), edges(hearing(listener, samples)))


@pytest.mark.parametrize(
    "samples",
    [
        speech.tone(4),
        speech.tone(4, 200, level=0.9) + speech.tone(4, 300, level=0.05),
        np.random.default_rng(0).normal(0, 0.2, 4 * SAMPLE_RATE).astype(np.float32),
        np.zeros(4 * SAMPLE_RATE, np.float32),
    ],
    ids=["tone", "hum", "noise", "silence"],
)
def test_what_is_no_speech_is_not_taken_for_it(listener: Listener, samples: Samples) -> None:
    assert hearing(listener, samples).speech == ()


def test_silence_of_a_second_is_told(listener: Listener) -> None:
    samples = np.concatenate((speech.tone(1), np.zeros(2 * SAMPLE_RATE, np.float32), speech.tone(1)))
    samples[500:600] = 0

    (quiet,) = hearing(listener, samples).quiet

    assert quiet.start == pytest.approx(1, abs=0.05)
    assert quiet.end == pytest.approx(3, abs=0.05)


def test_the_level_is_told(listener: Listener) -> None:
    assert hearing(listener, speech.tone(1, level=1)).level_db == pytest.approx(-3, abs=0.1)
    assert hearing(listener, speech.tone(1, level=0.1)).level_db == pytest.approx(-23, abs=0.1)
    assert hearing(listener, np.zeros(SAMPLE_RATE, np.float32)).level_db == -100


def spans(scores: Sequence[float]) -> list[tuple[float, float]]:
    """Give the spans of scores in chunks, a 32nd of a second each, without what they are padded with."""
    whole = Span(0, len(scores) * 0.032)
    found = conclude(np.array(scores, np.float32), np.ones(len(scores), np.float32), whole)
    return [(round(span.start / 0.032), round(span.end / 0.032)) for span in found.speech]


def test_a_short_pause_does_not_end_speech() -> None:
    assert spans([0] * 5 + [0.9] * 10 + [0.1] * 8 + [0.9] * 10 + [0] * 20) == [(4, 34)]


def test_a_long_pause_does() -> None:
    assert spans([0] * 5 + [0.9] * 10 + [0.1] * 13 + [0.9] * 10 + [0] * 20) == [(4, 16), (27, 39)]


def test_speech_goes_on_at_scores_that_would_not_begin_it() -> None:
    assert spans([0.4] * 20) == []
    assert spans([0.6] + [0.4] * 19) == [(0, 20)]


def test_a_click_is_no_speech() -> None:
    assert spans([0] * 10 + [0.9] * 5 + [0] * 30) == []


def test_nothing_gives_nothing() -> None:
    assert spans([]) == []
