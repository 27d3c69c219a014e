"""Resamples audio of any rate to 16 kHz: a windowed-sinc filter at the phases needed, as matrix products.

So many outputs make a row, which needs a stretch of the input; rows follow one another with the filter's
phases repeating. A row is cut into groups of outputs, and the inputs of one group in all rows are a matrix,
which a matrix of taps is multiplied with: no input is copied, and nearly all of the time is spent in BLAS.

It is here rather than a library for its speed: PyAV's resampler takes 5.2 times the time, and soxr 1.44
times (1.24 to 1.62) where it keeps what is promised here, that a sample is the same whatever piece it is
made for (`python bench/sound.py resampling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, lcm, pi

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ...domain.engine_media import SAMPLE_RATE, Samples

MIN_RATE, MAX_RATE = 1_000, 768_000

_PASS, _STOP = 0.875, 1.05
"""Where the filter begins to fall and where it has fallen, as shares of the lower rate's half."""
_REJECTION_DB = 72
_BETA = 0.1102 * (_REJECTION_DB - 8.7)
_GROUP = 16
_BLOCK_INPUTS = 1 << 18
_REMEMBERED_RATES = 4


@dataclass(frozen=True, slots=True)
class _Group:
    """Outputs of a row that are made together: `taps` has a column for each, from input `first_input` on."""

    first_output: int
    first_input: int
    taps: Samples


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one rate is resampled: a row of `outputs` for `inputs`, which reaches `reach` to either side."""

    outputs: int
    inputs: int
    reach: int
    groups: tuple[_Group, ...]

    def rows(self, samples: int) -> int:
        """Return how many rows to make at once: what `samples` need, as far as it fits the CPU's cache."""
        return min(max(_BLOCK_INPUTS // self.inputs, 1), samples // self.outputs + 2)


class Resampler:
    """Audio of one rate on a time line, added to `out`, which begins at sample `first` of it at 16 kHz.

    Where no audio is put is silence. Whatever piece of the line `out` is, a sample of it is the same.
    """

    def __init__(self, rate: int, gain: float, first: int, out: Samples) -> None:
        self._plan = _plan_of(rate)
        self._gain = np.float32(gain)
        self._first, self._out = first, out
        self._rows, plan = self._plan.rows(len(out)), self._plan
        self._block = np.zeros(self._rows * plan.inputs + 2 * plan.reach, np.float32)
        self._made = np.empty((self._rows, plan.outputs), np.float32)
        self._used = 0
        self.end = -(-(first + len(out)) // plan.outputs) * plan.inputs + plan.reach
        """The first sample of the rate's own line that makes no difference any more."""
        self._go_to_row(first // plan.outputs)

    def buffer(self, at: int, most: int) -> tuple[int, Samples]:
        """Return how many samples from sample `at` on come too early, and a buffer for those after them.

        The buffer holds at most `most` samples, maybe fewer; the caller fills it before the next call.
        """
        start, skipped = at - self._begin, 0
        if start >= len(self._block):
            self._go_on_to(at)
            start = at - self._begin
        elif start < 0:
            skipped = min(-start, most)
            start += skipped
        buffer = self._block[start : start + most - skipped]
        self._used = max(self._used, start + len(buffer))
        return skipped, buffer

    @property
    def done(self) -> int:
        """How many samples of `out`, from its beginning, nothing more is added to."""
        return min(max(self._row * self._plan.outputs - self._first, 0), len(self._out))

    def finish(self) -> None:
        """Make the last outputs."""
        while self._used > 0:
            self._make()

    def _go_to_row(self, row: int) -> None:
        self._row = row
        self._begin = row * self._plan.inputs - self._plan.reach

    def _go_on_to(self, at: int) -> None:
        """Make outputs until the block reaches `at`; a long silence costs nothing."""
        self._make()
        if at - self._begin >= len(self._block):
            self.finish()
            self._go_to_row(max((at - self._plan.reach) // self._plan.inputs, self._row))

    def _make(self) -> None:
        """Make the outputs of this block, and keep the inputs that the next one needs too."""
        plan, block, rows = self._plan, self._block, self._rows
        _make_sensible(block)
        for group in plan.groups:
            width, outputs = group.taps.shape
            inputs = as_strided(
                block[plan.reach + group.first_input :],
                (rows, width),
                (plan.inputs * block.itemsize, block.itemsize),
            )
            columns = slice(group.first_output, group.first_output + outputs)
            np.matmul(inputs, group.taps, out=self._made[:, columns])
        self._add(self._made.reshape(-1), self._row * plan.outputs)
        step = rows * plan.inputs
        block[: -step or None] = block[step:].copy()
        block[len(block) - step :] = 0
        self._used -= step
        self._go_to_row(self._row + rows)

    def _add(self, made: Samples, at: int) -> None:
        """Add what falls into the output. Adding, since a filter's end may lie over the next one's start."""
        start, end = max(at, self._first), min(at + len(made), self._first + len(self._out))
        if start < end:
            target = self._out[start - self._first : end - self._first]
            target += made[start - at : end - at] * self._gain
            np.clip(target, -1, 1, out=target)


def _make_sensible(block: Samples) -> None:
    """Replace what is no number by silence; the sum of squares shows whether there is any."""
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.dot(block, block)
    if not np.isfinite(power):
        np.nan_to_num(block, copy=False, posinf=0, neginf=0)
        np.clip(block, -_LOUDEST, _LOUDEST, out=block)


_LOUDEST = np.float32(1e9)
"""What no recording has, and no sum overflows with."""


@lru_cache(_REMEMBERED_RATES)
def _plan_of(rate: int) -> _Plan:
    if rate == SAMPLE_RATE:
        return _Plan(_GROUP, _GROUP, 0, (_Group(0, 0, np.eye(_GROUP, dtype=np.float32)),))
    ratio = Fraction(rate, SAMPLE_RATE)
    half = _half_width(rate)
    width = ceil((_GROUP - 1) * ratio) + 2 * ceil(half) + 1
    # The inputs of a group in one row must not reach into those in the next, else BLAS takes no such matrix.
    step = lcm(ratio.denominator, _GROUP)
    outputs = step * ceil(width / (step * ratio))
    groups = tuple(_group(at, min(_GROUP, outputs - at), rate, half) for at in range(0, outputs, _GROUP))
    reach = ceil(half) + 1
    return _Plan(outputs, int(outputs * ratio), reach, groups)


def _half_width(rate: int) -> float:
    """Return how many inputs the filter reaches to either side (Kaiser's formula)."""
    transition = 2 * pi * (_STOP - _PASS) * min(rate, SAMPLE_RATE) / 2 / rate
    return (_REJECTION_DB - 7.95) / (2.285 * transition) / 2


def _group(first: int, outputs: int, rate: int, half: float) -> _Group:
    ratio = Fraction(rate, SAMPLE_RATE)
    first_input = ceil(first * ratio - Fraction(half))
    last_input = floor((first + outputs - 1) * ratio + Fraction(half))
    inputs = np.arange(first_input, last_input + 1, dtype=np.float64)
    centres = np.arange(first, first + outputs, dtype=np.float64) * float(ratio)
    taps = _kernel(inputs[:, None] - centres, rate, half)
    taps /= taps.sum(axis=0)
    return _Group(first, first_input, np.ascontiguousarray(taps, np.float32))


def _kernel(distance: NDArray[np.float64], rate: int, half: float) -> NDArray[np.float64]:
    cutoff = (_PASS + _STOP) / 2 * min(rate, SAMPLE_RATE) / rate
    inside = np.clip(1 - (distance / half) ** 2, 0, None)
    window = np.where(inside > 0, np.i0(_BETA * np.sqrt(inside)), 0)
    taps: NDArray[np.float64] = np.sinc(cutoff * distance) * window
    return taps
