"""Regions of an image, in the contract's one geometry: 0-1000 of the upright full image, y first."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle, 0 <= ymin < ymax <= 1000 and likewise for x: always at least one unit wide and high."""

    ymin: int
    xmin: int
    ymax: int
    xmax: int

    @classmethod
    def of_pixels(cls, left: float, top: float, right: float, bottom: float, width: int, height: int) -> Box:
        """Make a box from pixel edges within an image of the given size; edges outside are clamped."""
        ymin, ymax = _span(top, bottom, height)
        xmin, xmax = _span(left, right, width)
        return cls(ymin, xmin, ymax, xmax)

    def as_list(self) -> list[int]:
        """Return `box_2d` as the wire writes it: [ymin, xmin, ymax, xmax]."""
        return [self.ymin, self.xmin, self.ymax, self.xmax]


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    start = min(max(floor(low / size * 1000), 0), 999)
    end = min(max(ceil(high / size * 1000), 0), 1000)
    return start, max(end, start + 1)
