"""What sort of picture this is, by statistics of its pixels and, where they were read, its lines of text.

Rendered pictures repeat few exact colours; photographs do not. Among the rendered ones the text decides:
prose on plain paper, words in panels, numbers along an axis, or none. The rules and their scores were
set on skimage's photographs and on rendered pages, windows, charts and shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain.media import Pixels
from .facts import ImageKind, Kind, Line

_LONGEST, _SHORTEST = 900, 16
# A grey picture may have so much colour (largest minus smallest channel): JPEG and scanners leave some.
_GREY_SPREAD = 12
_NUMBER = re.compile(r"[-–−+]?[$€£]?(\d[\d,]*(?:\.\d+)?)\s?[%kKMB°]?")
# Numbers stand in one row or column when their middles or ends differ by less than this, of 1000.
_ALIGNED = 12


@dataclass(frozen=True, slots=True)
class _Look:
    """What the rules see."""

    repeated: float  # share of pixels equal to their neighbours to the right and below
    spiky: float  # share of pixels in the eight most frequent grey levels
    strong: float  # share of pixels on a hard edge
    second: float  # share of the second most frequent colour: a panel, a bar, a coloured ground
    framed: bool  # two long straight lines meet: an axis, or a frame
    glyphs: float  # shapes of a letter's size, per million pixels
    glyph_share: float  # of all the marks on the ground
    text: _Text | None

    @property
    def rendered(self) -> bool:
        """Whether a program drew this."""
        return self.spiky + self.repeated > 1.2 or (self.repeated > 0.68 and self.strong > 0.005)

    @property
    def printed(self) -> bool:
        """Whether this is a scan or photograph of paper: marks of a letter's size, and hardly others."""
        if self.glyph_share <= 0.7:
            return False
        if self.text is None:
            return self.spiky > 0.7 or self.glyphs > 1500
        return self.text.words >= 12 and self.text.cover > 0.06

    @property
    def words(self) -> float:
        """The number of words, estimated from the glyphs where no text was read."""
        return self.glyphs / 12 if self.text is None else self.text.words


@dataclass(frozen=True, slots=True)
class _Text:
    """What the lines of text say: how much, how much of it in sentences, and whether it labels a scale."""

    words: int
    prose: float
    cover: float
    scaled: bool


def tell(pixels: Pixels, lines: tuple[Line, ...] | None) -> Kind:
    """Tell the kind of a picture from its pixels and, where they were read, its lines of text."""
    small = _scaled(pixels)
    look = _look(small, None if lines is None else _text(lines))
    name, score = next((name, score) for name, score, holds in _RULES if holds(look))
    spread = small.max(axis=2) - small.min(axis=2)
    return Kind(name, score, bool((spread > _GREY_SPREAD).mean() < 0.01))


def _is_chart(look: _Look) -> bool:
    return look.rendered and look.text is not None and look.text.scaled and look.text.cover < 0.2


def _is_wordy(look: _Look) -> bool:
    return (
        look.text is not None and look.text.words >= 60 and look.text.prose > 0.7 and look.text.cover > 0.15
    )


def _is_window(look: _Look) -> bool:
    return look.rendered and look.second >= 0.03 and look.words >= 30


def _is_unlabelled_chart(look: _Look) -> bool:
    return look.rendered and look.framed and 60 <= look.glyphs <= 600 and look.glyph_share > 0.15


# The first rule that holds decides; its score is an estimate, lower the less it rests on.
_RULES: tuple[tuple[ImageKind, float, Callable[[_Look], bool]], ...] = (
    ("chart", 0.9, _is_chart),
    ("document", 0.9, _is_wordy),
    ("screenshot", 0.75, _is_window),
    ("chart", 0.6, _is_unlabelled_chart),
    ("document", 0.75, lambda look: (look.rendered and look.words >= 30) or look.printed),
    ("screenshot", 0.5, lambda look: look.rendered and look.words >= 12),
    ("drawing", 0.7, lambda look: look.rendered),
    ("photograph", 0.6, lambda look: look.spiky + look.repeated > 0.9),
    ("photograph", 0.9, lambda _: True),
)


def _scaled(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = min(_LONGEST / max(height, width), 1.0)
    size = (max(round(width * scale), _SHORTEST), max(round(height * scale), _SHORTEST))
    if size == (width, height):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _look(pixels: Pixels, text: _Text | None) -> _Look:
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    steps = _steps(pixels)
    levels = np.sort(np.bincount(grey.ravel(), minlength=256))[::-1] / grey.size
    glyphs, share = _glyphs(grey)
    return _Look(
        repeated=float((steps == 0).mean()),
        spiky=float(levels[:8].sum()),
        strong=float((steps > 40).mean()),
        second=_second_colour(pixels),
        framed=_is_framed(grey),
        glyphs=glyphs,
        glyph_share=share,
        text=text,
    )


def _steps(pixels: Pixels) -> NDArray[np.uint8]:
    """Give the larger of the steps to the right and below, over the channels."""
    here = pixels[:-1, :-1]
    right, below = cv2.absdiff(here, pixels[:-1, 1:]), cv2.absdiff(here, pixels[1:, :-1])
    return np.asarray(np.maximum(right, below).max(axis=2, initial=0), np.uint8)


def _second_colour(pixels: Pixels) -> float:
    keys = (pixels >> 4).astype(np.int32)
    counts = np.bincount(((keys[..., 0] << 8) | (keys[..., 1] << 4) | keys[..., 2]).ravel(), minlength=2)
    return float(np.partition(counts, -2)[-2] / keys[..., 0].size)


def _is_framed(grey: NDArray[np.uint8]) -> bool:
    """Say whether a horizontal and a vertical edge, each of half the picture, end in one corner."""
    height, width = grey.shape
    across = _long_edges(grey[1:, :-1], grey[:-1, :-1], (1, max(width // 2, 2)))
    down = _long_edges(grey[:-1, 1:], grey[:-1, :-1], (max(height // 2, 2), 1))
    near = across & down
    inner = near[height // 50 : -height // 50 or None, width // 50 : -width // 50 or None]
    return bool(inner.any())


def _long_edges(one: NDArray[np.uint8], other: NDArray[np.uint8], line: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the surroundings of the edges between two shifted pictures that are as long as the line."""
    edges = (cv2.absdiff(one, other) > 12).astype(np.uint8)
    long = cv2.morphologyEx(edges, cv2.MORPH_OPEN, np.ones(line, np.uint8))
    return np.asarray(cv2.dilate(long, np.ones((9, 9), np.uint8)), np.bool_)


def _glyphs(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """Count the marks of a letter's size that stand out from the ground, per megapixel, and their share."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    ground = cv2.resize(cv2.medianBlur(small, 21), (width, height))
    marks = (cv2.absdiff(grey, np.asarray(ground, np.uint8)) > 50).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    wide, high = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    area = stats[1:, cv2.CC_STAT_AREA]
    letters = (high >= 5) & (high <= 40) & (wide <= 3 * high) & (area > 6) & (area < 0.85 * wide * high + 6)
    count = int(letters.sum())
    return count / grey.size * 1e6, count / max(len(letters), 1)


def _text(lines: Sequence[Line]) -> _Text:
    counts = [len(line.text.split()) for line in lines]
    words = sum(counts)
    boxes = [line.box for line in lines]
    return _Text(
        words=words,
        prose=sum(count for count in counts if count >= 5) / max(words, 1),
        cover=sum((b.ymax - b.ymin) * (b.xmax - b.xmin) for b in boxes) / 1e6,
        scaled=_has_axis(lines) or _adds_up(lines),
    )


def _has_axis(lines: Sequence[Line]) -> bool:
    """Say whether numbers grow evenly to the right or upwards, as ticks do; numbered lines grow down."""
    return any(_is_scale(places, values) for places, values in _aligned_numbers(lines))


def _aligned_numbers(lines: Sequence[Line]) -> Iterator[tuple[list[float], list[float]]]:
    numbers = [(value, line.box) for line in lines if (value := _value(line.text)) is not None]
    for _, anchor in numbers:
        column = [(v, b) for v, b in numbers if abs(b.xmax - anchor.xmax) < _ALIGNED]
        yield [-(b.ymin + b.ymax) / 2 for _, b in column], [v for v, _ in column]
        row = [(v, b) for v, b in numbers if abs(b.ymin + b.ymax - anchor.ymin - anchor.ymax) < 2 * _ALIGNED]
        yield [(b.xmin + b.xmax) / 2 for _, b in row], [v for v, _ in row]


def _is_scale(places: Sequence[float], values: Sequence[float]) -> bool:
    """Say whether the values lie on a rising line over their places; three points need be closer to it."""
    if len(set(values)) < 3 or len(set(places)) < 3:
        return False
    return float(np.corrcoef(places, values)[0, 1]) > (0.9998 if len(values) == 3 else 0.998)


def _adds_up(lines: Sequence[Line]) -> bool:
    """Say whether there are percentages of one whole: the labels of a pie."""
    parts = [value for line in lines if line.text.strip().endswith("%") and (value := _value(line.text))]
    return len(parts) >= 3 and 94 <= sum(parts) <= 106


def _value(text: str) -> float | None:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    value = float(found[1].replace(",", ""))
    return -value if text.strip()[0] in "-–−" else value
