"""Whether a picture is sharp, and how it is exposed. Nothing here says whether it is good."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from .facts import Quality

Grey = NDArray[np.uint8]
Exposure = Literal["dark", "normal", "bright"]

_LONGEST = 1000
# An edge is judged by its steepest step as a share of the contrast within this window.
_WINDOW = np.ones((11, 11), np.uint8)
_LEAST_CONTRAST = 20
_LEAST_AREA = 0.05
_TILES = 3
# Halfway between sharp pictures and the same after a Gaussian blur of 2.5 pixels.
_SHARP = 0.47
# Grey levels. What is dark has no bright parts, and what is bright no dark ones: ink makes a page normal.
_DARK_MIDDLE, _DARK_TOP = 60.0, 150.0
_BRIGHT_MIDDLE, _BRIGHT_BOTTOM = 200.0, 80.0


def tell(pixels: Pixels) -> Quality:
    """Tell whether the sharpest part of a picture is sharp, and whether it is too dark or too bright."""
    grey = _scaled(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
    steepness = _steepness(grey)
    exposure, exposure_score = _exposure(grey)
    if steepness is None:
        # Nothing has an edge: no sign of a blur, and hardly one of sharpness.
        return Quality("sharp", 0.5, exposure, exposure_score)
    return Quality(
        sharpness="sharp" if steepness >= _SHARP else "blurred",
        sharpness_score=_score(abs(steepness - _SHARP), 0.2),
        exposure=exposure,
        exposure_score=exposure_score,
    )


def _scaled(grey: Grey) -> Grey:
    height, width = grey.shape
    scale = _LONGEST / max(height, width)
    if scale >= 1:
        return grey
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _steepness(grey: Grey) -> float | None:
    """Measure how much of an edge's contrast lies in one step, in the tile where that is most.

    The best tile counts, so that a portrait before a blurred ground is sharp.
    """
    smooth = cv2.GaussianBlur(grey, (3, 3), 0.7)
    step = cv2.dilate(cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)), _WINDOW)
    contrast = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, _WINDOW)
    share = step / np.maximum(contrast, 1).astype(np.float32)
    edges = contrast > _LEAST_CONTRAST
    measured = [
        float(np.percentile(share[tile][edges[tile]], 75))
        for tile in _tiles(*grey.shape)
        if edges[tile].any() and edges[tile].mean() > _LEAST_AREA
    ]
    return max(measured, default=None)


def _tiles(height: int, width: int) -> list[tuple[slice, slice]]:
    return [(row, column) for row in _parts(height) for column in _parts(width)]


def _parts(size: int) -> list[slice]:
    return [slice(size * i // _TILES, size * (i + 1) // _TILES) for i in range(_TILES)]


def _exposure(grey: Grey) -> tuple[Exposure, float]:
    bottom, middle, top = (float(level) for level in np.percentile(grey, (0.3, 50, 98)))
    darkness = min(_DARK_MIDDLE - middle, _DARK_TOP - top)
    brightness = min(middle - _BRIGHT_MIDDLE, bottom - _BRIGHT_BOTTOM)
    if darkness > 0:
        return "dark", _score(darkness, 40)
    if brightness > 0:
        return "bright", _score(brightness, 40)
    return "normal", _score(-max(darkness, brightness), 40)


def _score(distance: float, sure: float) -> float:
    """Score a decision by its distance from the threshold: one half there, one at the distance given."""
    return round(min(0.5 + 0.5 * distance / sure, 1.0), 3)
