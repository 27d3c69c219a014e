"""A picture turned so that its text is level, and the way back to the picture that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from ...domain.regions import Box
from .ocr import Quad

Affine = NDArray[np.float64]
"""Two rows of three: where a point of the turned picture lies in the one that was sent."""

_LONG = 4.0
_AGREE_DEGREES = 1.0
_MOSTLY = 0.6
_PAGE_ASPECT = 4
_PAPER = (255, 255, 255)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Pixels to look at, and where they lie in the picture that was sent."""

    pixels: Pixels
    back: Affine
    width: int
    height: int

    @classmethod
    def of(cls, pixels: Pixels) -> View:
        """See the picture as it was sent."""
        height, width = pixels.shape[:2]
        return cls(np.ascontiguousarray(pixels), np.eye(2, 3), width, height)

    @property
    def is_page_shaped(self) -> bool:
        """Whether it can be turned by any angle without growing out of all proportion."""
        height, width = self.pixels.shape[:2]
        return bool(max(height, width) <= _PAGE_ASPECT * min(height, width))

    def quarter_turned(self, turns: int) -> View:
        """Turn it counter-clockwise by 1, 2 or 3 quarters."""
        height, width = self.pixels.shape[:2]
        back = {
            1: [[0, -1, width], [1, 0, 0]],
            2: [[-1, 0, width], [0, -1, height]],
            3: [[0, 1, 0], [-1, 0, height]],
        }[turns]
        return self._seen(np.ascontiguousarray(np.rot90(self.pixels, turns)), np.asarray(back, float))

    def straightened(self, tilt: float) -> View:
        """Turn it so that lines that fall by so many degrees become level; nothing is cut off."""
        height, width = self.pixels.shape[:2]
        c, s = abs(cos(radians(tilt))), abs(sin(radians(tilt)))
        size = round(width * c + height * s), round(width * s + height * c)
        there = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
        there[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
        pixels = cv2.warpAffine(self.pixels, there, size, flags=cv2.INTER_CUBIC, borderValue=_PAPER)
        return self._seen(np.asarray(pixels, np.uint8), np.asarray(cv2.invertAffineTransform(there), float))

    def box(self, quad: Quad) -> Box:
        """Give the box of these corners in the picture that was sent."""
        points = quad @ self.back[:, :2].T + self.back[:, 2]
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return Box.of_pixels(left, top, right, bottom, self.width, self.height)

    def _seen(self, pixels: Pixels, back: Affine) -> View:
        both = self.back[:, :2] @ back
        both[:, 2] += self.back[:, 2]
        return View(pixels, both, self.width, self.height)


def tilt_of(quads: Sequence[Quad]) -> float:
    """Tell by how many degrees the lines fall to the right; 0 where they do not agree."""
    long: list[tuple[float, float]] = []
    for quad in quads:
        (x0, y0), (x1, y1), _, (x3, y3) = quad.tolist()
        length = hypot(x1 - x0, y1 - y0)
        if length > _LONG * hypot(x3 - x0, y3 - y0):
            long.append((degrees(atan2(y1 - y0, x1 - x0)), length))
    if not long:
        return 0.0
    middle = _weighted_median(long)
    agreeing = sum(length for angle, length in long if abs(angle - middle) < _AGREE_DEGREES)
    return middle if agreeing > _MOSTLY * sum(length for _, length in long) else 0.0


def _weighted_median(values: Sequence[tuple[float, float]]) -> float:
    half = sum(weight for _, weight in values) / 2
    for value, weight in sorted(values):
        half -= weight
        if half <= 0:
            return value
    return 0.0
