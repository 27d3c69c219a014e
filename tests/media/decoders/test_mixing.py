"""Channels that are added up, as decoders give them."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

import clips
from twinlens.media.decoders.mixing import mix_of


@pytest.mark.parametrize("kind", ["m4a", "opus", "flac", "wav"])
def test_each_of_eight_channels_is_given(kind: str) -> None:
    tone = np.sin(np.arange(24_000) * 0.05)
    loudness = np.arange(1, 9) / 10
    body = clips.sound(kind, loudness[:, None] * tone)

    with av.open(io.BytesIO(body), "r") as recording:
        frames = list(recording.decode(audio=0))[2:6]
    mix = mix_of(frames[0])
    channels = mix.channels(frames, sum(frame.samples for frame in frames))

    # In a file they may come in another order; the one for the lowest tones may be damped.
    found = sorted(float(np.abs(channel.astype(float)).max()) for channel in channels)
    assert len(found) == 8
    assert found[-1] / found[0] > 4
