"""What `media/decoders/resample.py` would be with soxr: the baseline of `bench/sound.py`, used nowhere else.

It has the same interface and passes the same tests. soxr's stream counts from where it begins, so each
begins where an input and an output fall together, and a little before what is wanted of it: a sample is
then the same whatever piece of the line it is made for.
"""

from __future__ import annotations

import importlib
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from twinlens.domain.engine_media import SAMPLE_RATE, Samples

soxr: Any = importlib.import_module("soxr")

_QUALITY = "HQ"
"""Medium quality changes 7 kHz at 44.1 kHz by more than the tests allow."""

_REACH_S = Fraction(1, 100)
"""More than the filter reaches to either side."""

_BLOCK_INPUTS = 1 << 15


class Resampler:
    """Sound of one rate on a time line, added to `out`, which begins at sample `first` of it at 16 kHz.

    What no sound is put to is silence. Whatever piece of the line `out` is, a sample of it is the same.
    """

    def __init__(self, rate: int, gain: float, first: int, out: Samples) -> None:
        self._rate, self._ratio = rate, Fraction(rate, SAMPLE_RATE)
        self._gain = np.float32(gain)
        self._first, self._out = first, out
        self._reach = ceil(_REACH_S * max(rate, SAMPLE_RATE)) if rate != SAMPLE_RATE else 0
        self._block = np.zeros(
            min(_BLOCK_INPUTS, ceil(len(out) * self._ratio) + 2 * self._reach + 1), np.float32
        )
        self.end = ceil((first + len(out)) * self._ratio) + self._reach
        """The first sample of the rate's own line that makes no difference any more."""
        self._used, self._is_begun = 0, False
        self._begin_before(first * self._ratio)

    def room(self, at: int, most: int) -> tuple[int, Samples]:
        """Give room for sound from sample `at` on: how many samples of it come too early, and the room.

        The room is for at most as many as asked for, and may be for fewer; it is filled before the next call.
        """
        start, skipped = at - self._begin, 0
        if start >= len(self._block):
            self._go_on_to(at)
            start = at - self._begin
        elif start < 0:
            skipped = min(-start, most)
            start += skipped
        room = self._block[start : start + most - skipped]
        self._used = max(self._used, start + len(room))
        return skipped, room

    @property
    def done(self) -> int:
        """How many samples of `out`, from its beginning, nothing more is added to."""
        return min(max(self._made - self._first, 0), len(self._out))

    def finish(self) -> None:
        """Make the last outputs."""
        if self._used or self._is_begun:
            self._make(
                np.concatenate((self._block[: self._used], np.zeros(self._reach, np.float32))), last=True
            )
        self._used, self._is_begun = 0, False

    def _begin_before(self, at: Fraction | int) -> None:
        """Begin a stream where an input and an output fall together, the filter's reach before an input."""
        row = (at - self._reach) // self._ratio.numerator
        self._begin, self._made = row * self._ratio.numerator, row * self._ratio.denominator
        self._stream = soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, "float32", _QUALITY)
        self._used, self._is_begun = 0, False
        self._block[:] = 0

    def _go_on_to(self, at: int) -> None:
        """Make outputs until there is room at `at`; a long silence makes no work."""
        is_next = self._used or self._is_begun
        if is_next and at - self._begin < 2 * len(self._block):
            self._make(self._block, last=False)
            self._begin += len(self._block)
            self._used, self._is_begun = 0, True
            self._block[:] = 0
            return
        self.finish()
        self._begin_before(at)

    def _make(self, inputs: Samples, *, last: bool) -> None:
        """Make the outputs of so many more inputs."""
        _make_sensible(inputs)
        made = inputs if self._rate == SAMPLE_RATE else self._stream.resample_chunk(inputs, last=last)
        self._add(made, self._made)
        self._made += len(made)

    def _add(self, made: Samples, at: int) -> None:
        """Add what falls into the output. Adding, since a filter's end may lie over the next one's start."""
        start, end = max(at, self._first), min(at + len(made), self._first + len(self._out))
        if start < end:
            target = self._out[start - self._first : end - self._first]
            target += made[start - at : end - at] * self._gain
            np.clip(target, -1, 1, out=target)


def _make_sensible(block: Samples) -> None:
    """Make silence of what is no number; one look at the sum of squares tells that there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.dot(block, block)
    if not np.isfinite(power):
        np.nan_to_num(block, copy=False, posinf=0, neginf=0)
        np.clip(block, -_LOUDEST, _LOUDEST, out=block)


_LOUDEST = np.float32(1e9)
"""What no recording has, and no sum overflows with."""
