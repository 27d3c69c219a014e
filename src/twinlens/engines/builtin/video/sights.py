"""How one frame of a video differs from another: whether it is worth a look, and whether a cut lies between.

It runs in the server's own process, beside it on a thread: frames are small, and a few sums over their
pixels cost less than their way to another process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....domain.media import Pixels

CUT = 0.35
"""From this distance of colours on, of 1, the picture is taken for another scene."""

_BLOCK = 8
# Of 255, on average over a block. Compression moves a block by less; a letter that changes, by more.
_LEAST_CHANGE = 16.0
_LONGEST = 160
_HUES, _SATURATIONS, _VALUES = 8, 4, 4


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One frame as it is compared with others."""

    pixels: Pixels
    colours: NDArray[np.float64]

    def differs(self, other: Sight) -> bool:
        """Tell whether anything changed by more than compression does: a subtitle, a digit of a clock.

        It is judged block by block, since one line of text hardly moves the mean of a picture.
        """
        if self.pixels.shape != other.pixels.shape:
            return True
        change = np.maximum(self.pixels, other.pixels) - np.minimum(self.pixels, other.pixels)
        return bool(_blocks(change.max(axis=2)).max() > _LEAST_CHANGE)

    def distance(self, other: Sight) -> float:
        """Tell how far the colours are apart, from 0 to 1, wherever in the picture they are."""
        shared = float(np.sqrt(self.colours * other.colours).sum())
        return float(np.sqrt(max(1.0 - shared, 0.0)))


def take(pixels: Pixels) -> Sight:
    """Take down what a frame is to be compared by."""
    return Sight(pixels, _colours(pixels))


def _blocks(change: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Average over blocks; those at the edges may be narrower and count as whole ones."""
    height, width = change.shape
    rows = np.add.reduceat(change, range(0, height, _BLOCK), axis=0, dtype=np.uint32)
    sums: NDArray[np.float64] = np.add.reduceat(rows, range(0, width, _BLOCK), axis=1) / _BLOCK**2
    return sums


def _colours(pixels: Pixels) -> NDArray[np.float64]:
    """Count hues, saturations and brightnesses; the shares add up to 1. Grey has no hue, and counts apart."""
    step = max(max(pixels.shape[:2]) // _LONGEST, 1)
    channels = pixels[::step, ::step].reshape(-1, 3).astype(np.int32)
    red, green, blue = channels.T
    value = channels.max(axis=1)
    spread = value - channels.min(axis=1)
    safe = np.maximum(spread, 1)
    hue = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = np.where(spread < 16, 0, (hue % 6) / 6 * _HUES).astype(np.int64) % _HUES
    saturation = np.minimum(spread * _SATURATIONS // np.maximum(value, 1), _SATURATIONS - 1)
    bins = (hue * _SATURATIONS + saturation) * _VALUES + value * _VALUES // 256
    counts = np.bincount(bins, minlength=_HUES * _SATURATIONS * _VALUES).astype(np.float64)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares
