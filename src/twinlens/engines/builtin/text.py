"""Reading: the lines of text in a picture, upright or not, in the order in which people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import hypot
from statistics import fmean, median

import cv2
import numpy as np

from ...domain.media import Pixels
from . import layout
from .facts import Line, Word
from .ocr import Detector, Quad, Reading, Recogniser
from .steps import Steps, done
from .view import View, tilt_of

_TALL = 1.5
"""A line so many times higher than wide was written upwards or downwards, or is a narrow letter."""
_ONE_LETTER = 3.0
_MOSTLY = 0.6
_SAMPLE = 5
_SAMPLE_LENGTH = 8.0
_CLEARLY = 0.1
"""By how much the score of a few lines must rise for the page to be turned over."""
_GOOD_SCORE, _SURE_SCORE = 0.8, 0.9
_LEAST_ROW_HEIGHT = 5
_AIR_ABOVE, _AIR_BELOW = 0.15, 0.1
"""The white edge that the detector leaves round a line: without it the letters come out larger."""
_NARROW_FROM_HEIGHT = 9
_NARROW, _WIDE = 0.65, 0.85
"""Rows that show enough detail are squeezed to the first of these: a quarter of the time is saved."""
_GOOD_WHEN_NARROW = 0.96
_MOST_LENGTH = 8000
"""How long all rows together may be, in their own heights; the rest is left unread. Ten dense pages."""
_STRAIGHTEN_FROM_DEGREES = 5.0
"""Below this the rows are read as they lie: turning the pixels blurs small print more than it helps."""
_WIDE_GAP = 1.5
"""White space inside a row, in heights of the row, that makes two lines of it."""

_LEAST_SCORE = 0.6
_LEAST_SCORE_SHORT = 0.8
_LEAST_CONTEXT = 3
"""A single letter counts only beside so many longer lines: alone it is a texture."""

_UPRIGHT, _UPWARDS, _DOWNWARDS, _HEAD_OVER = 0, 1, -1, 2
"""Which way a text runs, as the turn of its corners: rolled by so many, the first is the text's own."""
_QUARTER_TURNS = {_UPRIGHT: 0, _DOWNWARDS: 1, _HEAD_OVER: 2, _UPWARDS: 3}
"""Counter-clockwise quarter turns that make a page upright whose text runs so."""


_OUTER = 1.5
"""Outermost letters reach further out than half a letter: capitals are wide."""
_WORD = re.compile(r"\S+")
_BLANK = np.full((48, 48, 3), 255, np.uint8)


class Reader:
    """Reads pictures. The networks are loaded at the first use, once."""

    def read(self, pixels: Pixels) -> tuple[Line, ...]:
        """Read all lines, in reading order."""
        return done(self.reading(pixels))

    def reading(self, pixels: Pixels) -> Steps[tuple[Line, ...]]:
        """Read all lines, in reading order, a row or a band at a step."""
        view, quads = yield from self._straight(View.of(pixels))
        pieces = _without_textures((yield from self._pieces(view.pixels, quads)))
        tilt = tilt_of([piece.quad for piece in pieces])
        order = layout.blocks([_rect(piece.quad, tilt) for piece in pieces])
        return tuple(
            _line(pieces[index], block, view) for block, group in enumerate(order) for index in group
        )

    def load(self) -> None:
        """Load the networks now, and run each once."""
        done(self._detector.finding(_BLANK))
        self._recogniser.read(_BLANK, _WIDE)

    @cached_property
    def _detector(self) -> Detector:
        return Detector()

    @cached_property
    def _recogniser(self) -> Recogniser:
        return Recogniser()

    def _straight(self, view: View) -> Steps[tuple[View, list[Quad]]]:
        """Turn the picture until its text runs from left to right, and find the lines in it."""
        quads = yield from self._detector.finding(view.pixels)
        turns = _QUARTER_TURNS[self._direction(view.pixels, quads)]
        if turns:
            view = view.quarter_turned(turns)
            quads = yield from self._detector.finding(view.pixels)
        tilt = tilt_of(quads)
        if abs(tilt) > _STRAIGHTEN_FROM_DEGREES and view.is_page_shaped:
            view = view.straightened(tilt)
            quads = yield from self._detector.finding(view.pixels)
        return view, quads

    def _direction(self, pixels: Pixels, quads: Sequence[Quad]) -> int:
        """Tell which way the text of the page runs, from the beginnings of a few lines."""
        if not quads:
            return _UPRIGHT
        lying = [quad for quad in quads if _is_tall(quad) and _length(quad) > _ONE_LETTER]
        is_lying = _total_length(lying) > _MOSTLY * _total_length(quads)
        ways = (_UPWARDS, _DOWNWARDS) if is_lying else (_UPRIGHT, _HEAD_OVER)
        sample = sorted(lying if is_lying else quads, key=lambda q: abs(_length(q) - _SAMPLE_LENGTH))
        score = self._mean_score(pixels, sample[:_SAMPLE], ways[0])
        if score > _SURE_SCORE or self._mean_score(pixels, sample[:_SAMPLE], ways[1]) < score + _CLEARLY:
            return ways[0]
        return ways[1]

    def _mean_score(self, pixels: Pixels, sample: Sequence[Quad], way: int) -> float:
        beginnings = (_beginning(np.roll(quad, way, axis=0)) for quad in sample)
        return fmean(self._read(pixels, quad).score for quad in beginnings)

    def _pieces(self, pixels: Pixels, quads: Iterable[Quad]) -> Steps[list[_Piece]]:
        pieces: list[_Piece] = []
        length = 0.0
        for quad in quads:
            if min(_sides(quad)) < _LEAST_ROW_HEIGHT:
                continue
            length += _length(quad)
            if length > _MOST_LENGTH:
                break
            pieces += _split(*self._read_any_way(pixels, quad))
            yield
        return pieces

    def _read_any_way(self, pixels: Pixels, quad: Quad) -> tuple[Quad, Reading]:
        """Read a row; one that is high and narrow also as text that runs upwards or downwards."""
        if not _is_tall(quad):
            return quad, self._read(pixels, quad)
        ways = [_UPWARDS, _DOWNWARDS]
        if _length(quad) < _ONE_LETTER:
            ways.insert(0, _UPRIGHT)
        best: tuple[Quad, Reading] | None = None
        for way in ways:
            turned = np.roll(quad, way, axis=0)
            reading = self._read(pixels, turned)
            if best is None or reading.score > best[1].score:
                best = turned, reading
            if way == _UPRIGHT and reading.score > _GOOD_SCORE:
                break
        assert best is not None
        return best

    def _read(self, pixels: Pixels, quad: Quad) -> Reading:
        row = _row(pixels, quad)
        if row.shape[0] < _NARROW_FROM_HEIGHT:
            return self._recogniser.read(row, _WIDE)
        narrow = self._recogniser.read(row, _NARROW)
        if narrow.score >= _GOOD_WHEN_NARROW:
            return narrow
        return max(narrow, self._recogniser.read(row, _WIDE), key=lambda reading: reading.score)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line in the picture as it was turned."""

    text: str
    score: float
    quad: Quad
    words: tuple[tuple[str, Quad], ...]


def _sides(quad: Quad) -> tuple[float, float]:
    (x0, y0), (x1, y1), _, (x3, y3) = quad.tolist()
    return hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0)


def _length(quad: Quad) -> float:
    """How long the row is, in its own heights, whichever way it runs."""
    short, long = sorted(_sides(quad))
    return long / max(short, 1.0)


def _total_length(quads: Iterable[Quad]) -> float:
    return sum(max(_sides(quad)) for quad in quads)


def _beginning(quad: Quad) -> Quad:
    wide, high = _sides(quad)
    return _part(quad, 0.0, min(_SAMPLE_LENGTH * high / max(wide, 1.0), 1.0))


def _is_tall(quad: Quad) -> bool:
    wide, high = _sides(quad)
    return high > _TALL * wide


def _row(pixels: Pixels, quad: Quad) -> Pixels:
    """Cut out a line, upright, without the air above and below its letters."""
    down = quad[3] - quad[0]
    left, right, bottom = (
        quad[0] + down * _AIR_ABOVE,
        quad[1] + down * _AIR_ABOVE,
        quad[3] - down * _AIR_BELOW,
    )
    wide, high = (max(round(float(np.linalg.norm(side))), 1) for side in (right - left, bottom - left))
    there = cv2.getAffineTransform(
        np.asarray([left, right, bottom], np.float32), np.asarray([(0, 0), (wide, 0), (0, high)], np.float32)
    )
    row = cv2.warpAffine(pixels, there, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(row, np.uint8)


@dataclass(frozen=True, slots=True)
class _Run:
    """Some characters of a row, and from where to where they reach, 0 to 1."""

    text: str
    start: float
    end: float


def _split(quad: Quad, reading: Reading) -> list[_Piece]:
    """Part a row into words, and into several lines where wide white space stands between them."""
    wide, high = _sides(quad)
    gap = _WIDE_GAP * high / max(wide, 1.0)
    lines: list[list[_Run]] = []
    for word in _words(reading, gap):
        if lines and word.start - lines[-1][-1].end < gap:
            lines[-1].append(word)
        else:
            lines.append([word])
    whole = len(lines) == 1
    return [_piece(quad, reading.score, words, whole) for words in lines]


def _words(reading: Reading, gap: float) -> list[_Run]:
    """Part a row where a space was read, and where the next letter is far away."""
    places = reading.places
    pitch = median(b - a for a, b in pairwise(places)) if len(places) > 1 else 2 * gap
    pitch = min(pitch, gap)
    starts = [i for i, (a, b) in enumerate(pairwise(places), 1) if b - a > gap + pitch]
    bounds = sorted({0, *starts, len(places)})
    stretches = (
        (low, match) for low, high in pairwise(bounds) for match in _WORD.finditer(reading.text[low:high])
    )
    return [_run(reading, low + match.start(), low + match.end(), pitch) for low, match in stretches]


def _run(reading: Reading, first: int, end: int, pitch: float) -> _Run:
    """Let a word reach half-way to the spaces beside it, but no further than a letter would."""
    places, last = reading.places, end - 1
    before = places[first - 1] if first else places[first] - _OUTER * pitch
    after = places[end] if end < len(places) else places[last] + _OUTER * pitch
    start = max((before + places[first]) / 2, places[first] - pitch, 0.0)
    stop = min((after + places[last]) / 2, places[last] + pitch, 1.0)
    return _Run(reading.text[first:end], start, stop)


def _piece(quad: Quad, score: float, words: Sequence[_Run], whole: bool) -> _Piece:
    text = " ".join(word.text for word in words)
    reach = quad if whole else _part(quad, words[0].start, words[-1].end)
    return _Piece(text, score, reach, tuple((word.text, _part(quad, word.start, word.end)) for word in words))


def _part(quad: Quad, start: float, end: float) -> Quad:
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.asarray(
        [quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start],
        np.float32,
    )


def _without_textures(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Drop what is no text: the short or doubtful is believed only in company."""
    sure = [piece for piece in pieces if piece.score >= _least_score(piece.text)]
    context = sum(len(piece.text) > 1 for piece in sure)
    return [piece for piece in sure if len(piece.text) > 1 or context >= _LEAST_CONTEXT]


def _least_score(text: str) -> float:
    return _LEAST_SCORE if len(text) > 2 else _LEAST_SCORE_SHORT


def _rect(quad: Quad, tilt: float) -> layout.Rect:
    """Stand the quad on a straight page."""
    matrix = cv2.getRotationMatrix2D((0, 0), tilt, 1.0)[:, :2]
    points = quad @ matrix.T
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return layout.Rect(left, top, right, bottom)


def _line(piece: _Piece, block: int, view: View) -> Line:
    words = tuple(Word(text, view.box(quad)) for text, quad in piece.words)
    return Line(piece.text, piece.score, view.box(piece.quad), words, block)
