"""The text that a page of a PDF carries, line by line. Runs in a worker process.

PDFium puts characters together to lines and finds the spaces between words. Here its lines are cut
where a gap is too wide for a space, cleaned, and brought into reading order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_double, c_ushort
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pypdfium2 import raw

from .page_objects import Rect, View, pictures
from .pdf import DamagedPage
from .reading_order import in_order

MAX_CHARS = 2_000_000
"""More on one page is no text that anybody wrote."""

_SCAN_MAX_CHARS = 40
"""The most text on a scan beside its image: a stamp, a page number. Chosen, not measured."""
_SCAN_MIN_COVER = 0.6

_WIDE_GAP = 2.0
"""In heights of a line; a wider gap is a gutter or the border of a cell. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and where it stands, as parts of the shown page: 0 to 1 from its upper left corner."""

    text: str
    place: Rect


def read(page: Any) -> tuple[list[Line], bool]:
    """Return a page's lines in reading order, and whether the page is a scan without text of its own."""
    view = View.of(page)
    with _text_of(page) as text:
        lines = [line for line in _lines(text, view) if _is_shown(line)]
    chars = sum(len(line.text) for line in lines)
    ordered = in_order([line.place for line in lines], [len(line.text) for line in lines])
    return [lines[index] for index in ordered], chars <= _SCAN_MAX_CHARS and _is_covered(page, view)


class _Text:
    """A page's text as PDFium holds it: characters by index, each with its bounds."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        # Made once: a page asks for thousands of bounds.
        self._left, self._bottom, self._right, self._top = c_double(), c_double(), c_double(), c_double()
        left, bottom, right, top = map(byref, (self._left, self._bottom, self._right, self._top))
        self._of_rect = left, top, right, bottom
        self._of_char = left, right, bottom, top
        self.chars = self._read()

    def bounds(self, start: int, end: int) -> Rect | None:
        """Return the bounds of a range of characters; None where none of them is visible."""
        rects = []
        for index in range(raw.FPDFText_CountRects(self._handle, start, end - start)):
            raw.FPDFText_GetRect(self._handle, index, *self._of_rect)
            rects.append(self._found())
        return _around(rects)

    def box(self, index: int) -> Rect:
        """Return the bounds of one character; a space has none."""
        raw.FPDFText_GetCharBox(self._handle, index, *self._of_char)
        return self._found()

    def extent(self, index: int, along: bool) -> tuple[float, float]:
        """Return where one character begins and ends, along a horizontal line or a vertical one."""
        raw.FPDFText_GetCharBox(self._handle, index, *self._of_char)
        if along:
            return self._left.value, self._right.value
        return self._bottom.value, self._top.value

    def _found(self) -> Rect:
        return Rect(self._left.value, self._bottom.value, self._right.value, self._top.value)

    def _read(self) -> str:
        count = raw.FPDFText_CountChars(self._handle)
        if count > MAX_CHARS:
            raise DamagedPage(f"{count} characters on one page")
        if count < 1:
            return ""
        buffer = (c_ushort * (count + 1))()
        if raw.FPDFText_GetText(self._handle, 0, count, buffer) == count + 1:
            found = memoryview(buffer).cast("B")[: 2 * count].tobytes().decode("utf-16-le", "surrogatepass")
            if len(found) == count:
                return found
        # Some are left out of the text, or take two units of it.
        return "".join(_char(raw.FPDFText_GetUnicode(self._handle, index)) for index in range(count))


@contextmanager
def _text_of(page: Any) -> Iterator[_Text]:
    handle = raw.FPDFText_LoadPage(page)
    if not handle:
        raise DamagedPage("the text does not load")
    try:
        yield _Text(handle)
    finally:
        raw.FPDFText_ClosePage(handle)


def _char(code: int) -> str:
    if code == _CUT_WORD:
        return "\ufffe"
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


_CUT_WORD = 2


def _lines(text: _Text, view: View) -> Iterator[Line]:
    for found in _LINE.finditer(text.chars):
        for start, end, rect in _pieces(text, *found.span()):
            if words := clean(text.chars[start:end]):
                yield Line(words, view.shown(rect))


_LINE = re.compile("[^\r\n\ufffe]+\ufffe?")
"""PDFium joins a word that is cut at the end of a line, and leaves U+FFFE where the hyphen was."""


def _pieces(text: _Text, start: int, end: int) -> Iterator[tuple[int, int, Rect]]:
    """Cut a line at its wide gaps, and yield each piece with its bounds."""
    whole = text.bounds(start, end)
    if whole is None:
        return
    cuts = [start, *_wide_gaps(text, start, end, whole), end]
    if len(cuts) == 2:
        yield start, end, whole
        return
    for first, last in pairwise(cuts):
        # The rectangles that PDFium gives may span a gap; those of characters do not.
        yield first, last, _around([text.box(index) for index in range(first, last)]) or whole


def _around(rects: Sequence[Rect]) -> Rect | None:
    there = [rect for rect in rects if rect.right > rect.left and rect.top > rect.bottom]
    if not there:
        return None
    lefts, bottoms, rights, tops = zip(*there, strict=True)
    return Rect(min(lefts), min(bottoms), max(rights), max(tops))


def _wide_gaps(text: _Text, start: int, end: int, whole: Rect) -> Iterator[int]:
    """Yield where words begin that are far from the word before them, along the line or against it."""
    width, height = whole.right - whole.left, whole.top - whole.bottom
    widest, along = _WIDE_GAP * min(width, height), width >= height
    for space in _SPACES.finditer(text.chars, start + 1, end - 1):
        low, high = text.extent(space.start() - 1, along)
        next_low, next_high = text.extent(space.end(), along)
        gap = max(next_low - high, low - next_high)
        if gap > widest:
            yield space.end()


_SPACES = re.compile("[ \u00a0]+")


def clean(text: str) -> str:
    """Return what a reader sees: no control characters, no soft hyphens, one space between words."""
    text = text.translate(_PLAIN)
    return " ".join(_INVISIBLE.sub("", text).split())


_PLAIN = str.maketrans(
    {
        "\ufffe": "-",
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
    }
)
_INVISIBLE = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\uffff\ud800-\udfff]")


def _is_shown(line: Line) -> bool:
    """Whether the middle of a line is on the page, and not cropped."""
    across, down = line.place.left + line.place.right, line.place.top + line.place.bottom
    return 0 <= across <= 2 and 0 <= down <= 2


def _is_covered(page: Any, view: View) -> bool:
    covered = sum(rect.within(view.rect).area for rect in pictures(page))
    return covered >= _SCAN_MIN_COVER * view.rect.area
