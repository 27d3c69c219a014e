"""Bare samples at 16 kHz: each in its place, in any order of bytes, in pieces that join."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import speech
from twinlens.domain.engine_media import SAMPLE_RATE, Samples
from twinlens.media.decoders import pcm
from twinlens.media.decoders.unreadable import Unreadable
from twinlens.media.worker.time_slice import TimeSlice


def samples(wave: Samples, order: str = ">i2") -> bytes:
    """Write waves, shape (channels, samples), as samples of all channels in turn."""
    return (np.atleast_2d(wave).T * 32767).astype(order).tobytes()


def decoded(data: bytes, mime_type: str, start: float = 0, end: float = 1) -> Samples:
    out = np.zeros(round((end - start) * SAMPLE_RATE), np.float32)
    assert pcm.decode(io.BytesIO(data), mime_type, start, out, TimeSlice(math.inf)) == len(out)
    return out


def assert_close(found: Samples, wanted: NDArray[np.floating[Any]], within: float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000, 192_000])
def test_any_rate_is_read(rate: int) -> None:
    found = decoded(samples(speech.tone(1, 440, rate)), f"audio/l16;rate={rate}")

    assert_close(found[500:-500], speech.tone(1, 440)[500:-500], 1e-3)


def test_channels_give_their_mean() -> None:
    tone = speech.tone(1, 440)

    found = decoded(samples(np.stack([tone, 0 * tone, tone, 0 * tone])), "audio/l16;rate=16000;channels=4")

    assert_close(found, tone / 2, 1e-3)


def test_the_label_of_googles_speech_models_is_read_with_the_low_byte_first() -> None:
    tone = speech.tone(1, 440, 24_000)

    found = decoded(samples(tone, "<i2"), "audio/l16;rate=24000;codec=pcm")

    assert_close(found[500:-500], speech.tone(1, 440)[500:-500], 1e-3)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_any_piece_is_as_in_the_whole(rate: int) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 6 * rate)).astype(np.float32)
    data, label = samples(noise), f"audio/l16;rate={rate};channels=2"
    whole = decoded(data, label, 0, 6)

    for start, end in ((0, 0.3), (2.5, 2.5625), (4.999, 6)):
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        assert_close(decoded(data, label, start, end), whole[first:last], 1e-6)


def test_a_part_of_a_job_that_is_cut_says_how_far_it_came() -> None:
    data = samples(np.random.default_rng(0).uniform(-0.5, 0.5, 60 * 44_100).astype(np.float32))
    out = np.zeros(60 * SAMPLE_RATE, np.float32)

    done = pcm.decode(io.BytesIO(data), "audio/l16;rate=44100", 0, out, TimeSlice(0, 0))

    assert 1 <= done < len(out)
    assert_close(out[:done], decoded(data, "audio/l16;rate=44100", 0, 60)[:done], 1e-6)


def test_after_the_end_there_is_silence() -> None:
    data = samples(speech.tone(1, 440))

    assert not decoded(data, "audio/l16;rate=16000", 1.1, 3).any()
    assert not decoded(data, "audio/l16;rate=16000", 3_600, 3_601).any()


def test_a_sample_that_is_cut_in_two_at_the_end_is_left_out() -> None:
    tone = speech.tone(1, 440)

    assert_close(decoded(samples(tone) + b"\1", "audio/l16;rate=16000"), tone, 1e-3)


@pytest.mark.parametrize(
    ("label", "size", "microseconds"),
    [
        ("audio/l16;rate=16000", 32_000, 1_000_000),
        ("audio/l16;rate=44100;channels=2", 44_100, 250_000),
        ("audio/l16;rate=8000;channels=8", 16, 125),
    ],
)
def test_its_length_follows_from_its_size(label: str, size: int, microseconds: int) -> None:
    found = pcm.inspect(io.BytesIO(bytes(size)), label)

    assert found == {"duration": microseconds, "width": 0, "height": 0, "sound": True}


@pytest.mark.parametrize(
    ("label", "size", "reason"),
    [
        ("audio/l16;rate=16000", 3, "cut"),
        ("audio/l16;rate=16000;channels=3", 4, "cut"),
        ("audio/l16;rate=16000", 0, "empty"),
    ],
)
def test_what_is_no_whole_number_of_samples_is_refused(label: str, size: int, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        pcm.inspect(io.BytesIO(bytes(size)), label)

    assert caught.value.reason == reason
