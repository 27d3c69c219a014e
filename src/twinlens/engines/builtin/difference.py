"""What changed from one picture to the next: the two are laid over one another, then compared.

Four ways to lay them over are tried (as they are, a shift, a similarity, a homography) and the one
that explains most of the picture wins. What is left of the difference after one pixel of play is a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from ...domain.regions import Box
from .facts import Difference

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Grey = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_LONGEST, _SHORTEST = 800, 16
# Features are looked for at this size: SIFT is most of the cost.
_FEATURES_LONGEST = 560
_MOST_BOXES = 16
# Lab distances (8 bits a channel) after a 5 x 5 mean: a change is what lies above the first and
# somewhere reaches the second. JPEG at quality 50 leaves islands above the first only.
_CHANGED = 12.0
_SURELY_CHANGED = 26.0
# Noise of its own (film, dim rooms) raises both, by this many times its usual distance.
_NOISE_FACTOR = 3.0
# A change smaller than this many pixels of the compared size is noise.
_LEAST_PIXELS = 24
_LEAST_INLIERS = 15
_LEAST_INLIER_SHARE = 0.3
_LEAST_OVERLAP = 0.4
# Two pictures laid over one another without features must agree this well (correlation of the greys).
_LEAST_CORRELATION = 0.75


@dataclass(frozen=True, slots=True)
class _Alignment:
    """A way to lay the first picture over the second, and the share of feature matches it explains."""

    matrix: Matrix
    trust: float


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Where the aligned pictures differ, and how much of what can be compared agrees."""

    alignment: _Alignment
    changed: Mask
    agreement: float


def compare(first: Pixels, second: Pixels) -> Difference:
    """Compare two pictures: are they of one scene, did it move, and where did it change."""
    after = _scaled(second, *_target(second))
    height, width = after.shape[:2]
    before = _scaled(first, width, height)
    if np.array_equal(before, after):
        return Difference(same_scene=True, moved=False, score=1.0, boxes=())
    compared = [
        _lay_over(before, after, way) for way in _alignments(before, after, _same_shape(first, second))
    ]
    if not compared:
        return Difference(same_scene=False, moved=False, score=0.8, boxes=())
    best = max(compared, key=lambda c: c.agreement)
    boxes = _boxes(best.changed)
    moved = _displacement(best.alignment.matrix, width, height) > max(0.006 * max(width, height), 2.0)
    return Difference(True, moved, round(best.alignment.trust * min(best.agreement + 0.2, 1), 3), boxes)


def _target(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(_LONGEST / max(height, width), 1)
    return max(round(width * scale), _SHORTEST), max(round(height * scale), _SHORTEST)


def _scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _same_shape(first: Pixels, second: Pixels) -> bool:
    ratio = first.shape[1] * second.shape[0] / (first.shape[0] * second.shape[1])
    return bool(0.98 < ratio < 1.02)


def _alignments(before: Pixels, after: Pixels, same_shape: bool) -> Iterator[_Alignment]:
    """Give the ways worth trying: as they are, as the features say, or else shifted; where they agree."""
    old, new = _grey(before), _grey(after)
    if same_shape:
        yield from _correlated(old, new, np.eye(3))
    featured = list(_featured(old, new))
    yield from featured
    if same_shape and not featured:
        yield from _correlated(old, new, _shift(old, new))


def _grey(pixels: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _correlated(old: Grey, new: Grey, matrix: Matrix) -> Iterator[_Alignment]:
    correlation = _correlation(_warped(old, matrix), new)
    if correlation >= _LEAST_CORRELATION:
        yield _Alignment(matrix, correlation)


def _featured(old: Grey, new: Grey) -> Iterator[_Alignment]:
    source, target = _matches(old, new)
    if len(source) < _LEAST_INLIERS:
        return
    for matrix, inliers in (_similarity(source, target), _homography(source, target)):
        count, share = int(inliers.sum()), float(inliers.mean())
        if count >= _LEAST_INLIERS and share >= _LEAST_INLIER_SHARE and _is_plausible(matrix, new.shape):
            yield _Alignment(matrix, min(0.5 + share / 2, 0.5 + count / 100, 1.0))


def _correlation(old: Grey, new: Grey) -> float:
    a, b = (cv2.GaussianBlur(g, (0, 0), 2).astype(np.float32) for g in (old, new))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 1 else float(np.abs(old.astype(int) - new).mean() < 2)


def _shift(old: Grey, new: Grey) -> Matrix:
    """Find the shift by phase correlation: for drawings too plain to have features."""
    window = cv2.createHanningWindow((new.shape[1], new.shape[0]), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(old.astype(np.float32), new.astype(np.float32), window)
    return np.array([[1, 0, round(right)], [0, 1, round(down)], [0, 0, 1]], np.float64)


def _matches(old: Grey, new: Grey) -> tuple[Floats, Floats]:
    """Match SIFT features that have one clear partner."""
    scale = min(_FEATURES_LONGEST / max(new.shape), 1.0)
    sift = cv2.SIFT.create(nfeatures=1200)
    (points, described), (others, describing) = (
        sift.detectAndCompute(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), None)
        for grey in (old, new)
    )
    if described is None or describing is None or len(others) < 2:
        return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    pairs = cv2.BFMatcher().knnMatch(described, describing, k=2)
    clear = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.75 * p[1].distance]
    source = np.array([points[m.queryIdx].pt for m in clear], np.float32).reshape(-1, 2)
    target = np.array([others[m.trainIdx].pt for m in clear], np.float32).reshape(-1, 2)
    return source / np.float32(scale), target / np.float32(scale)


def _similarity(source: Floats, target: Floats) -> tuple[Matrix, Mask]:
    matrix, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=2.5)
    if matrix is None:
        return np.zeros((3, 3)), np.zeros(1, np.bool_)
    return np.vstack([matrix, [0, 0, 1]]), inliers.astype(np.bool_).ravel()


def _homography(source: Floats, target: Floats) -> tuple[Matrix, Mask]:
    matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 2.5)
    if matrix is None:
        return np.zeros((3, 3)), np.zeros(1, np.bool_)
    return np.asarray(matrix, np.float64), inliers.astype(np.bool_).ravel()


def _is_plausible(matrix: Matrix, shape: tuple[int, ...]) -> bool:
    """Refuse what folds the picture, or shrinks it to nothing: RANSAC's answers to unrelated pictures."""
    corners = _corners(shape[1], shape[0])
    moved = cv2.perspectiveTransform(corners[None], matrix)[0].astype(np.float32)
    if not np.isfinite(moved).all() or not cv2.isContourConvex(moved):
        return False
    ratio = float(cv2.contourArea(moved, True) / cv2.contourArea(corners, True))
    return bool(0.1 < ratio < 10)


def _corners(width: int, height: int) -> Floats:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _displacement(matrix: Matrix, width: int, height: int) -> float:
    corners = _corners(width, height)
    return float(np.abs(cv2.perspectiveTransform(corners[None], matrix)[0] - corners).max())


def _lay_over(before: Pixels, after: Pixels, way: _Alignment) -> _Comparison:
    height, width = after.shape[:2]
    warped = _warped(before, way.matrix)
    inside = cv2.warpPerspective(np.ones((height, width), np.uint8), way.matrix, (width, height))
    shared = cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=1).astype(np.bool_)
    if shared.mean() < _LEAST_OVERLAP:
        return _Comparison(way, np.zeros_like(shared), 0.0)
    changed = _hysteresis(np.where(shared, _distance(warped, after, shared), 0))
    return _Comparison(way, changed, float(1 - changed[shared].mean()))


def _warped(picture: Pixels, matrix: Matrix) -> Pixels:
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpPerspective(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _hysteresis(distance: Floats) -> Mask:
    """Mark what differs, keeping only the islands that somewhere differ clearly."""
    noise = _NOISE_FACTOR * float(np.median(distance))
    count, labels = cv2.connectedComponents((distance > _CHANGED + noise).astype(np.uint8))
    clear = np.zeros(count, np.bool_)
    clear[labels[distance > _SURELY_CHANGED + noise]] = True
    clear[0] = False
    return np.asarray(clear[labels], np.bool_)


def _distance(before: Pixels, after: Pixels, shared: Mask) -> Floats:
    """Measure the difference in Lab that one pixel of play and a change of the light do not explain."""
    old, new = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in (before, after))
    old += np.median(new[shared] - old[shared], axis=0)
    beyond = np.maximum(_outside(new, old), _outside(old, new))
    return np.asarray(cv2.blur(np.sqrt((beyond * beyond).sum(axis=2)), (5, 5)), np.float32)


def _outside(values: Floats, others: Floats) -> Floats:
    """Measure how far each value lies outside the range of the other picture's 3 x 3 neighbourhood."""
    window = np.ones((3, 3), np.uint8)
    over = values - cv2.dilate(others, window)
    under = cv2.erode(others, window) - values
    return np.asarray(np.maximum(np.maximum(over, under), 0), np.float32)


def _boxes(changed: Mask) -> tuple[Box, ...]:
    height, width = changed.shape
    reach = max(max(height, width) // 50, 3) | 1
    joined = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    weights = np.bincount(labels[changed], minlength=count)
    order = sorted((i for i in range(1, count) if weights[i] >= _LEAST_PIXELS), key=lambda i: -weights[i])
    return tuple(
        # The 5 x 5 mean widens a change by up to 2 pixels a side.
        Box.of_pixels(left + 1, top + 1, left + wide - 1, top + high - 1, width, height)
        for left, top, wide, high, _ in (map(int, stats[i]) for i in order[:_MOST_BOXES])
    )
