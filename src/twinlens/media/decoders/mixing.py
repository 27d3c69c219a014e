"""Mixes the channels of an audio frame to one, as a sum; the caller scales it to the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from ...domain.engine_media import Samples

Channels = Sequence[NDArray[Any]]
"""The samples of each channel, as they were decoded."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How frames of one form become one channel. `gain` is what the sum is to be multiplied with.

    `middle` is what a sum of silence is; `weights` is None where all channels count the same.
    """

    dtype: np.dtype[Any]
    is_planar: bool
    middle: float
    weights: Sequence[float] | None
    gain: float

    def channels(self, frames: Sequence[AudioFrame], count: int) -> Channels:
        """Return the samples of each channel of consecutive frames, which have `count` samples in all."""
        channels = frames[0].layout.nb_channels
        if self.is_planar:
            return [self._joined(_planes(frames, at), frames, count, 1) for at in range(channels)]
        samples = self._joined(_planes(frames, 0), frames, count * channels, channels)
        return list(samples.reshape(count, channels).T)

    def _joined(
        self, planes: Sequence[AudioPlane], frames: Sequence[AudioFrame], count: int, channels: int
    ) -> NDArray[Any]:
        """Join one plane of all frames; some planes are longer than their samples."""
        joined = np.frombuffer(b"".join(planes), self.dtype)
        if len(joined) == count:
            return joined
        sizes = [frame.samples * channels for frame in frames]
        pieces = zip(planes, sizes, strict=True)
        return np.concatenate([np.frombuffer(plane, self.dtype, size) for plane, size in pieces])  # type: ignore[call-overload]

    def add(self, channels: Channels, first: int, buffer: Samples) -> None:
        """Fill the buffer with the sum of the channels from sample `first` on."""
        if len(buffer) != len(channels[0]):
            channels = [channel[first : first + len(buffer)] for channel in channels]
        if self.weights is not None:
            buffer[:] = 0
            for channel, weight in zip(channels, self.weights, strict=True):
                buffer += channel * np.float32(weight)
        elif len(channels) == 1:
            buffer[:] = channels[0]
        else:
            np.add(channels[0], channels[1], out=buffer, dtype=np.float32)
            for channel in channels[2:]:
                buffer += channel
        if self.middle:
            buffer -= self.middle


def _planes(frames: Sequence[AudioFrame], at: int) -> Sequence[AudioPlane]:
    # What a frame itself lists as its planes goes beyond them where there are eight or more.
    return [AudioPlane(frame, at) for frame in frames]


def mix_of(frame: AudioFrame) -> Mix:
    """Return how frames of this one's form are mixed."""
    name = frame.format.name
    kind, middle, loudest = _FORMATS[name.removesuffix("p")]
    weights = _weights(frame.layout)
    total = sum(weights)
    return Mix(
        dtype=np.dtype(kind),
        is_planar=name.endswith("p") or len(weights) == 1,
        middle=middle * total,
        weights=None if all(weight == 1 for weight in weights) else weights,
        gain=1 / (loudest * total),
    )


_FORMATS: Mapping[str, tuple[type[np.generic], int, int]] = {
    "u8": (np.uint8, 1 << 7, 1 << 7),
    "s16": (np.int16, 0, 1 << 15),
    "s32": (np.int32, 0, 1 << 31),
    "s64": (np.int64, 0, 1 << 63),
    "flt": (np.float32, 0, 1),
    "dbl": (np.float64, 0, 1),
}
"""What a sample is: its type, its value in silence, and how far from that the loudest is."""

_WEIGHTS: Mapping[str, float] = {
    **dict.fromkeys(("LFE", "LFE2"), 0),
    **dict.fromkeys(("BL", "BR", "BC", "SL", "SR"), 0.7),
}
"""How much a channel counts where that is not 1: what comes from behind less, and the rumble not at all."""


def _weights(layout: AudioLayout) -> Sequence[float]:
    weights = [_WEIGHTS.get(channel.name, 1) for channel in layout.channels]
    return weights if sum(weights) else [1] * len(weights)
