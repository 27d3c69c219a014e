"""What the built-in engine can know of a picture. Every fact carries a score from 0 to 1.

Boxes are relative to the upright full image. An empty tuple means that the search found nothing;
None means that it was not looked for, or cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...domain.clip import Span
from ...domain.regions import Box

FactName = Literal["text", "codes", "faces", "colours", "kind", "quality", "tables", "charts"]
ALL_FACTS: frozenset[FactName] = frozenset(
    ("text", "codes", "faces", "colours", "kind", "quality", "tables", "charts")
)

ImageKind = Literal["photograph", "document", "screenshot", "chart", "drawing"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line, and where it stands."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `block` numbers the paragraph or column it belongs to, in reading order."""

    text: str
    score: float
    box: Box
    words: tuple[Word, ...]
    block: int


@dataclass(frozen=True, slots=True)
class Code:
    """A QR or bar code: its symbology as people call it (`QR code`, `EAN-13`), and its content."""

    symbology: str
    text: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Face:
    """A face seen from the front or the side."""

    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Colour:
    """A dominant colour: its English name, its share of the picture, its largest connected regions."""

    name: str
    share: float
    score: float
    regions: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of picture this is, in so far as statistics of its pixels tell."""

    name: ImageKind
    score: float
    grey: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Sharpness and exposure in words, each with its score."""

    sharpness: Literal["sharp", "blurred"]
    sharpness_score: float
    exposure: Literal["dark", "normal", "bright"]
    exposure_score: float


@dataclass(frozen=True, slots=True)
class Table:
    """Text that stands in rows and columns; missing cells are empty strings."""

    rows: tuple[tuple[str, ...], ...]
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: the label under it ("" where none was read), and its value on the axis."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart whose axis could be read."""

    bars: tuple[Bar, ...]
    title: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found in one picture. `width` and `height` are those of what was sent, in pixels;
    `seen_width` and `seen_height` are what the budget left of it."""

    width: int
    height: int
    seen_width: int
    seen_height: int
    lines: tuple[Line, ...] | None = None
    codes: tuple[Code, ...] | None = None
    faces: tuple[Face, ...] | None = None
    colours: tuple[Colour, ...] | None = None
    kind: Kind | None = None
    quality: Quality | None = None
    tables: tuple[Table, ...] | None = None
    charts: tuple[Chart, ...] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one picture to the next. Boxes are relative to the second picture.

    `same_scene` is False where the two show different things; `moved` says that the second was
    shifted, turned or scaled against the first.
    """

    same_scene: bool
    moved: bool
    score: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """A stretch of speech, in seconds of the recording."""

    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a stretch of a recording, in seconds of it."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """What listening to a recording tells: where there is speech, where it is quiet, and how loud it is.

    `level_db` is the mean level below the loudest there can be; -100 stands for silence.
    """

    speech: tuple[SpeechSpan, ...]
    quiet: tuple[Span, ...]
    level_db: float
