"""The two networks of PP-OCR as the wheel of rapidocr carries them: where text stands, and what it says.

They are run directly on onnxruntime, so that nothing can be downloaded or logged, short lines are not
padded to a fixed width, and the place of every character is known. Nothing here knows of pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from math import ceil, inf, sqrt
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ...domain.media import Pixels
from .steps import Steps

Quad = NDArray[np.float32]
"""Four corners (x, y): the text's top left, top right, bottom right, bottom left."""

_STRIDE = 32
_LEAST_SIDE = 10
"""Thinner pictures hold no text, and padding to a stride would make them many times larger."""
_INK = 0.2
_SURE_OF_BOX = 0.3
"""Both are lower than usual: the recogniser's own score sorts out better what is no text."""
_GROWTH = 1.6
"""How far the core of a line that the detector marks is grown again: area x this / perimeter."""
_LEAST_CORE = 3
_MOST_BOXES = 1000
_MOST_BAND_PIXELS = 1_200_000
"""The detector takes some 0.45 s for a million pixels; up to HIGH, a picture is one band."""
_LEAST_BAND_HEIGHT = 256
_MOST_WIDTH = _MOST_BAND_PIXELS // _LEAST_BAND_HEIGHT
_OVERLAP = 128
"""Rows: higher lines may be missed where bands meet."""

# Labels of some 14 pixels are found by chance at their own scale, and surely at a slightly larger one.
# Who has no text at all, or large letters, or is large, is spared the second look.
_SMALL_PRINT = 26
_SECOND_SCALE, _SECOND_LEAST_SCALE = 1.25, 1.1
_SECOND_MOST_PIXELS = 1_200_000

_ROW_HEIGHT = 48
_COLUMN_STEP = 8
"""The recogniser looks at rows 48 pixels high and gives one guess every 8 pixels."""
_MOST_ROW_WIDTH = 4096


@dataclass(frozen=True, slots=True)
class Reading:
    """What one row of pixels says. `places` are the characters' centres, from 0 (left) to 1 (right)."""

    text: str
    score: float
    places: tuple[float, ...]


class Detector:
    """Finds lines of text."""

    def __init__(self) -> None:
        self._session = _session("PP-OCRv6_det_small.onnx")

    def finding(self, pixels: Pixels) -> Steps[list[Quad]]:
        """Find the lines as rectangles at any angle, in pixels of the picture, a band at a step."""
        height, width = pixels.shape[:2]
        if min(height, width) < _LEAST_SIDE:
            return []
        if width > _MOST_WIDTH:
            return (yield from self._finding_smaller(pixels, _MOST_WIDTH / width))
        quads: list[Quad] = []
        for band in bands(height, width):
            quads += band.own(self._find(pixels[band.rows]))
            yield
        scale = min(_SECOND_SCALE, sqrt(_SECOND_MOST_PIXELS / (height * width)))
        if scale < _SECOND_LEAST_SCALE or not quads or median(map(_thickness, quads)) > _SMALL_PRINT:
            return quads
        larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        second = [quad / np.float32(scale) for quad in self._find(np.asarray(larger, np.uint8))]
        return second + [quad for quad in quads if not any(_is_in(quad, other) for other in second)]

    def _finding_smaller(self, pixels: Pixels, scale: float) -> Steps[list[Quad]]:
        """Find the lines of a very wide picture at a smaller scale: each look takes a second at most."""
        smaller = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        quads = yield from self.finding(np.asarray(smaller, np.uint8))
        return [quad / np.float32(scale) for quad in quads]

    def _find(self, pixels: Pixels) -> list[Quad]:
        height, width = pixels.shape[:2]
        ink = self._session.run(None, {"x": _network_input(pixels)})[0][0, 0, :height, :width]
        core = cv2.dilate((ink > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(core, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        quads = (_quad(np.asarray(contour, np.int32), ink) for contour in contours[:_MOST_BOXES])
        return [quad for quad in quads if quad is not None]


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of a picture that are looked at by themselves, and those of them whose lines it answers for."""

    rows: slice
    top: float
    bottom: float

    def own(self, quads: Sequence[Quad]) -> list[Quad]:
        """Move what was found to its place in the picture; leave to the other bands what is theirs."""
        moved = (quad + np.asarray((0, self.rows.start), np.float32) for quad in quads)
        return [quad for quad in moved if self.top <= float(quad[:, 1].mean()) < self.bottom]


def bands(height: int, width: int) -> list[Band]:
    """Cut a large picture into bands that overlap; one of usual size is its own band.

    Not into columns: lines of text would be cut with them.
    """
    count = ceil(height / max(_MOST_BAND_PIXELS // width, _LEAST_BAND_HEIGHT))
    bounds = [round(height * part / count) for part in range(count + 1)]
    return [
        Band(
            slice(max(top - _OVERLAP, 0), min(bottom + _OVERLAP, height)),
            top if top else -inf,
            bottom if bottom < height else inf,
        )
        for top, bottom in pairwise(bounds)
    ]


class Recogniser:
    """Reads one line of text."""

    def __init__(self) -> None:
        self._session = _session("PP-OCRv6_rec_small.onnx")
        characters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *characters, " "]

    def read(self, row: Pixels, squeeze: float) -> Reading:
        """Read a row of pixels that holds one upright line, squeezed to some part of its own width."""
        height, width = row.shape[:2]
        wide = min(max(ceil(width * squeeze * _ROW_HEIGHT / height), _COLUMN_STEP * 2), _MOST_ROW_WIDTH)
        how = cv2.INTER_AREA if height > _ROW_HEIGHT * 1.5 else cv2.INTER_LINEAR
        scaled = cv2.resize(row, (wide, _ROW_HEIGHT), interpolation=how)
        return self._decode(self._session.run(None, {"x": _normalised(scaled)})[0][0])

    def _decode(self, guesses: NDArray[np.float32]) -> Reading:
        """Collapse repeated guesses and drop the blanks between them."""
        best = guesses.argmax(axis=1)
        kept = best != 0
        kept[1:] &= best[1:] != best[:-1]
        steps = np.flatnonzero(kept)
        if not len(steps):
            return Reading("", 0.0, ())
        score = float(guesses[steps, best[steps]].mean())
        text = "".join(self._characters[index] for index in best[steps])
        return Reading(text, score, tuple(((steps + 0.5) / len(best)).tolist()))


def _session(name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Every row has another width: a plan of memory for each would only grow.
    options.enable_mem_pattern = False
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The built-in engine needs the package rapidocr.")
    model = Path(spec.origin).parent / "models" / name
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _network_input(pixels: Pixels) -> NDArray[np.float32]:
    """Pad, rather than stretch, to whole strides: stretching blurs small print."""
    height, width = pixels.shape[:2]
    bottom, right = -height % _STRIDE, -width % _STRIDE
    return _normalised(cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_REPLICATE))


def _normalised(pixels: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Both networks were trained on blue, green, red, from -1 to 1."""
    planes = pixels[..., ::-1].transpose(2, 0, 1)[None]
    return np.ascontiguousarray(planes, np.float32) / np.float32(127.5) - np.float32(1)


def _quad(contour: NDArray[np.int32], ink: NDArray[np.float32]) -> Quad | None:
    rectangle = cv2.minAreaRect(contour)
    centre, (wide, high), angle = rectangle
    if min(wide, high) < _LEAST_CORE or _mean_ink(rectangle, ink) < _SURE_OF_BOX:
        return None
    grown = 2 * wide * high * _GROWTH / (2 * (wide + high))
    return _ordered(cv2.boxPoints((centre, (wide + grown, high + grown), angle)))


def _mean_ink(rectangle: cv2.typing.RotatedRect, ink: NDArray[np.float32]) -> float:
    corners = cv2.boxPoints(rectangle)
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = ink[top:bottom, left:right]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(part, mask)[0])


def _thickness(quad: Quad) -> float:
    return float(min(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])))


def _is_in(quad: Quad, other: Quad) -> bool:
    """Tell whether the middle of one lies within the other."""
    x, y = quad.mean(axis=0).tolist()
    return cv2.pointPolygonTest(other, (x, y), measureDist=False) >= 0


def _ordered(corners: cv2.typing.MatLike) -> Quad:
    """Start at the top left and go round clockwise."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.asarray([left[0], right[0], right[1], left[1]], np.float32)
