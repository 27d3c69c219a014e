"""Text on screen over time: what is read frame by frame, joined to spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from ....domain.regions import Box
from ..facts import Facts, Line

BRIDGED = 2
"""How many frames on a text may come again and count as never gone: one may be missed in between."""

_LEAST_ALIKE = 0.85
_LEAST_ALIKE_WORD = 0.6
# So many texts are looked through for one that goes on: those that began last.
_MOST_OPEN = 400
# In thousandths of a side: how far the middle of a text that is read exactly alike may move between looks.
_FARTHEST = 350
_LEAST_SCORE = 0.6
_SURE = 0.9


@dataclass(frozen=True, slots=True)
class Glance:
    """A frame that was looked at. What it shows lasts to the frame `last`: those between are alike.

    Frames go by their index in the video; `opens` says that it is the first of a scene.
    """

    index: int
    last: int
    opens: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Caption:
    """A text that was on screen from one frame to another, as it was read most surely, where it was first."""

    text: str
    first: int
    last: int
    score: float
    box: Box


@dataclass(slots=True)
class _Open:
    """A text that may go on in the next frame. `read` weighs the ways in which it was read."""

    begun: Box
    line: Line
    plain: str
    first: int
    last: int
    looks: int = 0
    read: dict[str, float] = field(default_factory=dict)

    def add(self, line: Line, frames: int) -> None:
        self.line, self.plain = line, _plain(line.text)
        self.looks += 1
        self.read[line.text] = self.read.get(line.text, 0.0) + line.score * frames

    def closed(self) -> Caption:
        text = max(self.read, key=self.read.__getitem__)
        return Caption(text, self.first, self.last, self.line.score, self.begun)


def join(glances: Sequence[Glance]) -> tuple[tuple[Caption, ...], tuple[Facts, ...]]:
    """Join the lines of frames to captions; give the facts too, with a caption in its first frame only."""
    everything: list[_Open] = []
    begun: list[Facts] = []
    for glance in glances:
        going = [open_ for open_ in everything[-_MOST_OPEN:] if open_.last >= glance.index - BRIDGED]
        new: list[_Open] = []
        for line in _readable(glance.facts):
            open_ = _continued(line, going)
            if open_ is None:
                open_ = _Open(line.box, line, _plain(line.text), glance.index, glance.last)
                new.append(open_)
            else:
                going.remove(open_)
            open_.last = glance.last
            open_.add(line, glance.last - glance.index + 1)
        everything += new
        begun.append(_with_lines(glance.facts, new))
    return tuple(open_.closed() for open_ in everything if not _is_noise(open_)), tuple(begun)


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes have an area in common."""
    return min(one.ymax, other.ymax) > max(one.ymin, other.ymin) and min(one.xmax, other.xmax) > max(
        one.xmin, other.xmin
    )


def _is_noise(open_: _Open) -> bool:
    """Tell whether this is a letter or two that a pattern looked like for once."""
    short = open_.plain.isalpha() and len(open_.plain) < 3
    return short and open_.looks == 1 and open_.line.score < _SURE


def _with_lines(facts: Facts, new: Sequence[_Open]) -> Facts:
    return facts if facts.lines is None else replace(facts, lines=tuple(open_.line for open_ in new))


def _readable(facts: Facts) -> list[Line]:
    return [line for line in facts.lines or () if line.score >= _LEAST_SCORE and len(line.text.strip()) > 1]


def _continued(line: Line, going: Sequence[_Open]) -> _Open | None:
    """Find the text that this line goes on with: read alike, at most a little moved."""
    plain = _plain(line.text)
    for open_ in going:
        if open_.plain == plain and _apart(line.box, open_.line.box) <= _FARTHEST:
            return open_
    near = (open_ for open_ in going if overlap(line.box, open_.line.box))
    return next((open_ for open_ in near if _alike(line, open_.line)), None)


def _alike(line: Line, other: Line) -> bool:
    """Tell whether two readings differ by slips only: not by a figure, as a clock does, nor by a word."""
    one, two = _plain(line.text), _plain(other.text)
    if _figures(one) != _figures(two) or _ratio(one, two) < _LEAST_ALIKE:
        return False
    words, others = line.text.casefold().split(), other.text.casefold().split()
    if len(words) != len(others):
        # A slip may join two words, or part one.
        return True
    return all(_ratio(word, other) >= _LEAST_ALIKE_WORD for word, other in zip(words, others, strict=True))


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return 0.0 if matcher.real_quick_ratio() < _LEAST_ALIKE_WORD else matcher.ratio()


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _figures(plain: str) -> str:
    return "".join(letter for letter in plain if letter.isdecimal())


def _apart(one: Box, other: Box) -> int:
    return (
        max(
            abs(one.ymin + one.ymax - other.ymin - other.ymax),
            abs(one.xmin + one.xmax - other.xmin - other.xmax),
        )
        // 2
    )
