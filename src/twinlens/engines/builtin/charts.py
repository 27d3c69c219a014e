"""Bar charts: upright bars of one series, read against the numbers on the axis.

Only what is certain is told: an axis whose numbers lie on a line, and solid bars that stand on it at
even distances. Everything else is no chart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import floor, log10
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from ...domain.regions import Box
from .facts import Bar, Chart, Line, Word

_NUMBER = re.compile(r"[$€£]?\s*([-−–]?\d[\d,.]*)\s*([kKMB%]?)")
_THOUSANDS = re.compile(r"[,.](?=\d{3}(?:[,.]|$))")
_UNITS = {"": 1.0, "%": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}

_LEAST_TICKS = 3
_TICK_ERROR = 0.25
"""How far, in its own height, a number may stand from where the others say it should."""
_LEAST_BARS = 2
_LEAST_BAR_WIDTH = 4
_SAME_COLOUR = 40
"""Sum of the differences of three channels up to which two colours count as one."""
_SOLID = 0.6
"""The share of a bar's width that must have its colour; the rest may be a number written on it."""
_THIN = 4
"""Lines across a bar, or over the ground, that are no higher than this do not end it."""
_ABOVE_BASE = 3
_EVEN = 0.15
_LABEL_REACH = 3.0
"""How far below the zero line, in heights of a number, the labels may stand."""

_Colour = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Tick:
    value: float
    score: float
    left: float
    right: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class _Axis:
    """`value = slope * y + offset`. Its numbers reach from `left` to `right`, and are `height` high."""

    slope: float
    offset: float
    left: float
    right: float
    height: float
    score: float

    @property
    def zero(self) -> float:
        return -self.offset / self.slope

    def value(self, y: float) -> float:
        """Round to what one pixel can tell."""
        return round(self.slope * y + self.offset, -floor(log10(abs(self.slope))))


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A solid run above the zero line, in pixels."""

    left: int
    right: int
    top: int
    colour: _Colour

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> int:
        return self.right - self.left


def find(pixels: Pixels, lines: Sequence[Line]) -> tuple[Chart, ...]:
    """Find the bar chart of a picture, given the lines of text that were read in it."""
    height, width = pixels.shape[:2]
    axis = _axis(lines, width, height)
    bars = _bars(pixels, axis) if axis else []
    if axis is None or not _are_even(bars):
        return ()
    return (_chart(lines, axis, bars, width, height),)


def _axis(lines: Sequence[Line], width: int, height: int) -> _Axis | None:
    """Fit the axis: numbers that end at one edge, and whose values lie on a line over their places."""
    ticks = [tick for line in lines if (tick := _tick(line, width, height))]
    best = max((_agreeing(ticks, *pair) for pair in combinations(ticks, 2)), key=len, default=[])
    if len(best) < _LEAST_TICKS or min(tick.value for tick in best) < 0:
        return None
    slope, offset = np.polyfit([tick.y for tick in best], [tick.value for tick in best], 1).tolist()
    if slope >= 0:
        return None
    score = fmean(tick.score for tick in best)
    left, right = min(tick.left for tick in best), max(tick.right for tick in best)
    return _Axis(slope, offset, left, right, median(tick.height for tick in best), score)


def _tick(line: Line, width: int, height: int) -> _Tick | None:
    match = _NUMBER.fullmatch(line.text)
    if match is None:
        return None
    digits = _THOUSANDS.sub("", match[1].replace("−", "-").replace("–", "-")).replace(",", ".")
    try:
        value = float(digits) * _UNITS[match[2]]
    except ValueError:
        return None
    box = line.box
    middle, tall = (box.ymin + box.ymax) / 2000, (box.ymax - box.ymin) / 1000
    left, right = box.xmin / 1000 * width, box.xmax / 1000 * width
    return _Tick(value, line.score, left, right, middle * height, tall * height)


def _agreeing(ticks: Sequence[_Tick], one: _Tick, other: _Tick) -> list[_Tick]:
    """Find the numbers that stand under these two and agree with them about the scale."""
    apart = one.y - other.y
    if abs(apart) < one.height or one.value == other.value:
        return []
    slope = (one.value - other.value) / apart
    return [
        tick
        for tick in ticks
        if abs(tick.right - one.right) < tick.height
        and abs((tick.value - one.value) / slope - (tick.y - one.y)) < _TICK_ERROR * tick.height
    ]


def _bars(pixels: Pixels, axis: _Axis) -> list[_Column]:
    """Find what stands solid on the zero line and ends above it; nothing where something is stacked."""
    height, width = pixels.shape[:2]
    base = round(axis.zero) - _ABOVE_BASE
    if not 0 < base < height:
        return []
    columns = [
        _column(pixels, left, right, base) for left, right in _runs(pixels[base], round(axis.right), width)
    ]
    # The ground between the bars reaches the frame, or the edge of the picture; no bar rises above it.
    ceiling = min((column.top for column in columns), default=0) + _THIN
    grounds = [column.colour for column in columns if column.top <= ceiling]
    bars = [column for column in columns if not _is_any(column.colour, grounds)]
    return bars if all(_ends_in(pixels, bar, grounds) for bar in bars) else []


def _runs(row: Pixels, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a row of pixels where its colour changes; keep what is wide enough for a bar."""
    steps = np.abs(np.diff(row[start:end].astype(np.int16), axis=0)).sum(axis=1)
    edges = [start, *(np.flatnonzero(steps > _SAME_COLOUR) + start + 1).tolist(), end]
    return [(a, b) for a, b in pairwise(edges) if b - a >= _LEAST_BAR_WIDTH]


def _column(pixels: Pixels, left: int, right: int, base: int) -> _Column:
    colour = np.median(pixels[base, left:right], axis=0).astype(np.int16)
    same = np.abs(pixels[: base + 1, left:right].astype(np.int16) - colour).sum(axis=2) <= _SAME_COLOUR
    solid = (same.mean(axis=1) >= _SOLID)[::-1]
    stops = np.flatnonzero(~solid).tolist()
    end = next((stop for stop in stops if not solid[stop : stop + _THIN + 1].any()), len(solid))
    return _Column(left, right, base + 1 - end, colour)


def _is_any(colour: _Colour, others: Sequence[_Colour]) -> bool:
    return any(int(np.abs(colour - other).sum()) <= _SAME_COLOUR for other in others)


def _ends_in(pixels: Pixels, bar: _Column, grounds: Sequence[_Colour]) -> bool:
    """Tell whether ground follows above a bar, and not a second bar stacked on it."""
    above = pixels[max(bar.top - _THIN, 0), bar.left : bar.right].astype(np.int16)
    return any(
        float((np.abs(above - ground).sum(axis=1) <= _SAME_COLOUR).mean()) > 1 - _SOLID for ground in grounds
    )


def _are_even(bars: Sequence[_Column]) -> bool:
    """Tell whether these are bars of one series: as wide as one another, and at even distances."""
    if len(bars) < _LEAST_BARS:
        return False
    pitch = _pitch(bars)
    wide = median(bar.width for bar in bars)
    steps = [(b.centre - a.centre) / pitch for a, b in pairwise(bars)]
    return all(abs(bar.width - wide) <= max(_EVEN * wide, 2) for bar in bars) and all(
        abs(step - round(step)) < _EVEN for step in steps
    )


def _pitch(bars: Sequence[_Column]) -> float:
    return min(b.centre - a.centre for a, b in pairwise(bars))


def _chart(lines: Sequence[Line], axis: _Axis, bars: Sequence[_Column], width: int, height: int) -> Chart:
    top = min(bar.top for bar in bars)
    title = _title(lines, axis, top, width, height)
    labels = _labels(lines, axis, bars, width, height)
    read = tuple(
        Bar(" ".join(word.text for word in words), max(axis.value(bar.top), 0.0))
        for words, bar in zip(labels, bars, strict=True)
    )
    drawn = Box.of_pixels(axis.left, top, max(bar.right for bar in bars), axis.zero, width, height)
    around = [drawn, *(line.box for line in title), *(word.box for words in labels for word in words)]
    box = Box(
        min(box.ymin for box in around),
        min(box.xmin for box in around),
        max(box.ymax for box in around),
        max(box.xmax for box in around),
    )
    return Chart(read, " ".join(line.text for line in title), axis.score, box)


def _labels(
    lines: Sequence[Line], axis: _Axis, bars: Sequence[_Column], width: int, height: int
) -> list[list[Word]]:
    """Give each bar the words under it, of the row of words that stands nearest below the zero line."""
    words = [word for line in lines for word in line.words]
    below = [w for w in words if 0 < _middle(w.box, height) - axis.zero < _LABEL_REACH * axis.height]
    first = min((_middle(word.box, height) for word in below), default=0.0)
    found: list[list[Word]] = [[] for _ in bars]
    for word in below:
        centre = (word.box.xmin + word.box.xmax) / 2000 * width
        nearest = min(range(len(bars)), key=lambda index: abs(bars[index].centre - centre))
        is_under = abs(bars[nearest].centre - centre) < _pitch(bars) / 2
        if is_under and _middle(word.box, height) - first < axis.height:
            found[nearest].append(word)
    return found


def _middle(box: Box, height: int) -> float:
    return (box.ymin + box.ymax) / 2000 * height


def _title(lines: Sequence[Line], axis: _Axis, top: int, width: int, height: int) -> list[Line]:
    """Find the words above all that is drawn: the lines of the last block there."""
    above = [
        line
        for line in lines
        if line.box.ymax / 1000 * height < top
        and line.box.xmax / 1000 * width > axis.right
        and line.box.xmax - line.box.xmin > line.box.ymax - line.box.ymin
        and _NUMBER.fullmatch(line.text) is None
    ]
    return [line for line in above if line.block == above[-1].block]
