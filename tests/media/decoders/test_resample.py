"""Sound of any rate at 16 kHz: what may be heard is kept, what cannot be there is gone."""

from __future__ import annotations

import numpy as np
import pytest

import speech
from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.media.decoders.resample import Resampler

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)


def resampled(sound: Samples, rate: int, first: int = 0, count: int | None = None, at: int = 0) -> Samples:
    """Resample sound that begins at sample `at`, put in as frames of odd sizes."""
    out = np.zeros(len(sound) * SAMPLE_RATE // rate if count is None else count, np.float32)
    resampler = Resampler(rate, 1.0, first, out)
    for start in range(0, len(sound), 1_111):
        frame = sound[start : start + 1_111]
        while len(frame):
            skipped, buffer = resampler.buffer(at + start, len(frame))
            buffer[:] = frame[skipped : skipped + len(buffer)]
            start, frame = start + skipped + len(buffer), frame[skipped + len(buffer) :]
    resampler.finish()
    return out


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-9)))


def assert_close(found: Samples, wanted: Samples | float, within: float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within)


def level(sound: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize(
    ("rate", "hertz"),
    [(rate, hertz) for rate in RATES for hertz in (50, 1_000, 3_400, 7_000) if hertz < 0.43 * rate],
)
def test_a_tone_stays_what_it_is(rate: int, hertz: int) -> None:
    found = resampled(speech.tone(0.5, hertz, rate), rate)

    middle = slice(1_000, 7_000)
    wrong = found[middle] - speech.tone(0.5, hertz)[middle]
    assert decibels(float(np.abs(wrong).max()) / 0.25) < -60


@pytest.mark.parametrize(
    ("rate", "hertz"),
    [(rate, hertz) for rate in RATES for hertz in (8_400, 9_000, 12_000, 15_900, 20_000) if hertz < rate / 2],
)
def test_what_is_too_high_is_not_folded_down(rate: int, hertz: int) -> None:
    found = resampled(speech.tone(0.5, hertz, rate), rate)

    assert decibels(level(found[1_000:7_000]) / level(speech.tone(0.5, 1_000))) < -65


@pytest.mark.parametrize("rate", [*RATES, 12_345, 47_999])
def test_a_constant_keeps_its_value(rate: int) -> None:
    found = resampled(np.full(rate, 0.5, np.float32), rate)

    assert_close(found[2_000:14_000], 0.5, 1e-5)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_any_piece_is_as_in_the_whole(rate: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * rate).astype(np.float32)
    whole = resampled(noise, rate)

    for first, count in ((0, 5_000), (4_999, 1), (7_001, 12_345), (31_000, 1_000)):
        piece = resampled(noise, rate, first, count)
        assert_close(piece, whole[first : first + count], 1e-6)


def test_sound_that_begins_late_stands_where_it_belongs() -> None:
    tone = speech.tone(0.5, 1_000, 48_000)

    found = resampled(tone, 48_000, count=10 * SAMPLE_RATE, at=9 * 48_000)

    assert not found[: 9 * SAMPLE_RATE - 200].any()
    start = 9 * SAMPLE_RATE + 200
    assert_close(found[start : start + 7_000], speech.tone(0.5, 1_000)[200:7_200], 1e-3)


def test_what_is_no_number_is_silent() -> None:
    sound = speech.tone(1, 440, 48_000)
    sound[1_000], sound[2_000], sound[3_000] = np.nan, np.inf, 1e30

    found = resampled(sound, 48_000)

    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1
    assert_close(found[4_000:15_000], speech.tone(1)[4_000:15_000], 1e-3)


def test_what_is_too_loud_is_cut_off() -> None:
    found = resampled(speech.tone(1, 440, 48_000, level=4), 48_000)

    assert float(found.max()) == 1
    assert float(found.min()) == -1
