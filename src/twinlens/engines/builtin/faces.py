"""Faces, by the cascades that OpenCV carries, with a second look at every hit.

A cascade finds nearly every frontal face, and coins, cats and wheels besides. So a hit counts only
when it is found again in several framings, by cascades trained apart, and when what they see is
backed by a stricter cascade or by eyes. This says that there is a face; never whose, nor of what age
or mood. Faces narrower than 3.5 % of the picture's longer side are not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from ...domain.regions import Box
from .facts import Face

Grey = NDArray[np.uint8]

_MOST = 40
_LEAST_SCORE = 0.8
# The second look shows the hit at this width, with this much around it on each side.
_FACE_SIDE = 64
_MARGIN = 0.5
# (scale, shift right, shift down) of the framings, in widths of the hit.
_FRAMINGS = ((1.0, 0.0, 0.0), (0.87, 0.06, 0.03), (1.15, -0.06, -0.03))


@dataclass(frozen=True, slots=True)
class _Square:
    """A hit: its upper left corner and its side, in pixels of the picture."""

    left: float
    top: float
    side: float


@dataclass(frozen=True, slots=True)
class _View:
    """From which side a face is looked for: how coarsely, how a hit is judged, and what it frames.

    `trim` is what to take off the cascade's square, in its sides (left, top, right, bottom), so that
    the box is tight around the face: the frontal one ends below the mouth, the profile one has the
    back of the head in it.
    """

    cascade: str
    longest: int
    step: float
    mirrored: bool
    judge: Callable[[Grey, _Square], float]
    trim: tuple[float, float, float, float]


def find(pixels: Pixels) -> tuple[Face, ...]:
    """Find the faces seen from the front or the side, the surest first."""
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    height, width = grey.shape
    found: list[tuple[float, _Square, _View]] = []
    for view in _VIEWS:
        for square in _first_look(grey, view)[:_MOST]:
            if any(_overlap(square, other) for _, other, _ in found):
                continue
            score = view.judge(grey, square)
            if score >= _LEAST_SCORE:
                found.append((score, square, view))
    found.sort(key=lambda hit: (-hit[0], -hit[1].side))
    return tuple(Face(score, _box(square, view, width, height)) for score, square, view in found)


def _first_look(grey: Grey, view: _View) -> list[_Square]:
    """Find what may be a face, the likeliest first."""
    scale = min(view.longest / max(grey.shape), 1.0)
    small = _resized(grey, round(grey.shape[1] * scale), round(grey.shape[0] * scale))
    seen = _mirrored(small) if view.mirrored else small
    hits, _, weights = _cascade(view.cascade).detectMultiScale3(
        seen, view.step, 2, minSize=(24, 24), outputRejectLevels=True
    )
    squares = []
    for left, top, side, _ in (hits[i] for i in np.argsort(weights)[::-1]):
        start = small.shape[1] - left - side if view.mirrored else left
        squares.append(_Square(start / scale, top / scale, side / scale))
    return squares


def _judge_frontal(grey: Grey, square: _Square) -> float:
    """Ask three cascades in every framing; then the strict one, and for eyes."""
    crops = list(_framed(grey, square))
    votes = 0
    for name in ("frontalface_alt2", "frontalface_default", "frontalface_alt"):
        agreed = sum(_is_centred(name, crop) for crop in crops)
        if agreed < len(crops) - 1:
            return 0.0
        votes += agreed
    return 0.6 * votes / (3 * len(crops)) + 0.4 * _backing(grey, square, crops)


def _backing(grey: Grey, square: _Square, crops: Sequence[Grey]) -> float:
    """Weigh what speaks for a face beside the votes: the strict cascade misses one in five, eyes more."""
    if any(_is_centred("frontalface_alt_tree", crop) for crop in crops):
        return 1.0
    return 0.75 if _has_eyes(grey, square) else 0.0


def _judge_profile(grey: Grey, square: _Square) -> float:
    """Ask the profile cascade both ways: true profiles please the mirrored one too, odd shapes seldom."""
    crops = list(_framed(grey, square))
    seen = all(_is_centred("profileface", way) for crop in crops for way in (crop, _mirrored(crop)))
    return _LEAST_SCORE if seen else 0.0


def _framed(grey: Grey, square: _Square) -> Iterator[Grey]:
    centre_x, centre_y = square.left + square.side / 2, square.top + square.side / 2
    for scale, right, down in _FRAMINGS:
        side = round(square.side * (1 + 2 * _MARGIN))
        centre = (centre_x + right * square.side, centre_y + down * square.side)
        crop = cv2.getRectSubPix(grey, (side, side), centre)
        shown = round(_FACE_SIDE * scale * (1 + 2 * _MARGIN))
        yield _resized(np.asarray(crop, np.uint8), shown, shown)


def _is_centred(name: str, crop: Grey) -> bool:
    """Say whether a cascade finds in the middle of the crop a face of about the expected size."""
    shown = crop.shape[0]
    face = shown / (1 + 2 * _MARGIN)
    low, high = round(face * 0.65), round(face * 1.45)
    hits = _cascade(name).detectMultiScale(crop, 1.08, 1, minSize=(low, low), maxSize=(high, high))
    return any(
        max(abs(left + side / 2 - shown / 2), abs(top + side / 2 - shown / 2)) < 0.3 * face
        for left, top, side, _ in hits
    )


def _has_eyes(grey: Grey, square: _Square) -> bool:
    """Say whether both eye cascades find an eye in the upper half."""
    side = round(square.side)
    centre = (square.left + square.side / 2, square.top + square.side / 2)
    face = _resized(np.asarray(cv2.getRectSubPix(grey, (side, side), centre), np.uint8), 100, 100)
    upper = np.ascontiguousarray(face[10:60])
    return all(
        len(_cascade(name).detectMultiScale(upper, 1.05, 2, minSize=(16, 16), maxSize=(40, 40)))
        for name in ("eye", "eye_tree_eyeglasses")
    )


_VIEWS = (
    _View("frontalface_alt2", 720, 1.15, False, _judge_frontal, (0.03, 0.0, 0.03, -0.1)),
    _View("profileface", 400, 1.15, False, _judge_profile, (0.15, 0.1, 0.15, 0.05)),
    _View("profileface", 400, 1.15, True, _judge_profile, (0.15, 0.1, 0.15, 0.05)),
)


def _overlap(one: _Square, other: _Square) -> bool:
    """Say whether two hits are the same face: the middle of the one lies within the other."""
    small, large = sorted((one, other), key=lambda square: square.side)
    x, y = small.left + small.side / 2 - large.left, small.top + small.side / 2 - large.top
    return 0 <= x <= large.side and 0 <= y <= large.side


def _box(square: _Square, view: _View, width: int, height: int) -> Box:
    left, top, right, bottom = (part * square.side for part in view.trim)
    return Box.of_pixels(
        square.left + left,
        square.top + top,
        square.left + square.side - right,
        square.top + square.side - bottom,
        width,
        height,
    )


def _resized(grey: Grey, width: int, height: int) -> Grey:
    size = (max(width, 1), max(height, 1))
    way = cv2.INTER_AREA if size[0] < grey.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=way), np.uint8)


def _mirrored(grey: Grey) -> Grey:
    return np.ascontiguousarray(grey[:, ::-1])


# A classifier keeps state while it looks: each thread has its own, loaded once.
_loaded = local()


def _cascade(name: str) -> Any:
    cascades: dict[str, Any] = _loaded.__dict__
    if name not in cascades:
        file = Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"
        cascades[name] = cv2.CascadeClassifier(str(file))
    return cascades[name]
