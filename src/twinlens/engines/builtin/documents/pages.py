"""Pages as the built-in engine reads them: lines in blocks, passages, headings, tables; one page at a time.

Where a text comes from (a page's own text, a scan that was read, a text file) makes no difference here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from statistics import median

from ....domain.engine_media import PageText, TextLine
from ....domain.regions import Box
from .. import tables
from ..facts import Facts, Line, Table
from ..labels import Labels

PORTRAIT, LANDSCAPE = (1000, 1414), (1414, 1000)

_WIDER, _WIDEST = 1.4, 1.5
"""A step down of so many usual ones, or white space of so many line heights, ends a block."""
_BAND = 2.5
_OTHER_SIZE = 1.3
_FULL = 0.75
"""A line that reaches less far than this share of its block ends a passage, if it may."""
_LETTER_WIDTH = 0.5
_CELL_CHARACTERS = 45
_MOST_CELLS = 100
"""A line of more pieces is no row of a table."""
_MOST_HEADING_WORDS = 12
_WIDE = re.compile(r"\s{3,}|\t+")
_SENTENCE_END = re.compile(r"[.!?…][\"”’)\]]*(?=\s+[^\Wa-z_]|\s+[\"“‘(\[])|[。！？]")
_ABBREVIATED = re.compile(
    r"(?:\b(?:[A-Z]|No|Nos|Nr|Art|Fig|Sec|Dr|Mr|Mrs|Ms|Prof|St|Inc|Ltd|Co|vs|cf|ca|e\.g|i\.e|pp?|Vol|Ed)"
    r"|^\W*\d{1,3}(?:\.\d{1,3}){0,4})\.$"
)
_BULLET = re.compile(r"^(?:[•●▪◦‣*–—-]|\(?\d{1,3}[.)]|\(?[a-z]\))\s")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
"""Controls, marks of direction and spaces without width: what a reader does not see can mislead one.

The two joiners stay: words of some languages are spelt with them.
"""
_LONE = re.compile("[\ud800-\udfff]")
_LONG_PASSAGE = 300
_NUMBERED_HEADING = re.compile(
    r"^(?:§\s*\d+|\d{1,2}(?:\.\d{1,2}){0,4}\.?|[IVX]{1,5}\.|Chapter \d+)\s+[^\Wa-z]"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, an item of a list or a row of a table, under its heading."""

    page: int
    text: str
    heading: str = ""
    is_heading: bool = False


@dataclass(frozen=True)
class Page:
    """What was read on one page. `given` are tables known from a file's form; a text file has number 0.

    `is_scan` tells a page that carries no text of its own; its lines are empty until it has been read.
    """

    number: int
    lines: tuple[Line, ...] = ()
    size: tuple[int, int] = PORTRAIT
    is_scan: bool = False
    given: tuple[Table, ...] = ()
    marked: tuple[str, ...] | None = None

    @cached_property
    def text(self) -> str:
        """All of it as a reader would copy it: what stands on one height in one line, blocks apart."""
        return "\n\n".join("\n".join(_row_text(row) for row in rows) for rows in self._blocks)

    @cached_property
    def lower(self) -> str:
        """The text in lower case on one line, to be searched."""
        return " ".join(self.text.lower().split())

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """The lines that are set larger, or numbered as headings are, and stand by themselves."""
        if self.marked is not None:
            return self.marked
        usual = median(_height(line) for line in self.lines) if self.lines else 0.0
        found = (_heading(rows, usual) for rows in self._blocks)
        return tuple(heading for heading in found if heading)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The text in pieces that can be quoted."""
        known, heading = frozenset(self.headings), ""
        found: list[Passage] = []
        for rows in self._blocks:
            whole = " ".join(line.text for row in rows for line in row)
            for text in [whole] if whole in known else _pieces(rows):
                is_heading = text in known
                found.append(Passage(self.number, text, heading, is_heading))
                heading = text if is_heading else heading
        return tuple(found)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables, found by their white space where the file's form does not tell them."""
        if self.given or not self._has_rows:
            return self.given
        bands = _bands(self.lines)
        return tuple(table for band in bands for table in tables.find(band, *self.size))

    @cached_property
    def labels(self) -> Labels:
        """What may be a label."""
        return Labels(self.facts())

    @property
    def _has_rows(self) -> bool:
        """Whether two rows at least have several cells: a cheap look, since most pages are prose.

        A page may have been written column by column, so short lines are looked at by their places too.
        """
        if sum(len(row) > 1 for rows in self._blocks for row in rows) > 1:
            return True
        cells = sorted(
            (line for line in self.lines if len(line.text) <= _CELL_CHARACTERS),
            key=lambda line: (line.box.ymin + line.box.ymax, line.box.xmin),
        )
        return sum(len(row) > 1 for row in _rows(cells)) > 1

    @cached_property
    def _blocks(self) -> tuple[tuple[Sequence[Line], ...], ...]:
        return tuple(
            tuple(_rows(list(block))) for _, block in groupby(self.lines, key=lambda line: line.block)
        )

    def facts(self, *, with_tables: bool = False) -> Facts:
        """Give it as the facts of a picture that shows it."""
        width, height = self.size
        found = self.tables if with_tables else None
        return Facts(width, height, width, height, lines=self.lines, tables=found)


def page_of(text: PageText) -> Page:
    """Make a page of its own text."""
    cells = [cell for line in text.lines for cell in _cells(line)]
    return Page(text.number, tuple(_in_blocks(cells)), _size(cells), text.is_scan)


def scanned(number: int, facts: Facts) -> Page:
    """Make a page of what was read on its picture."""
    return Page(number, facts.lines or (), (facts.width, facts.height), is_scan=True)


def table_of(rows: Sequence[Sequence[str]]) -> Table:
    """Make a table of rows that a file's form tells; shorter ones are filled up."""
    width = max(map(len, rows))
    return Table(tuple((*row, *[""] * (width - len(row))) for row in rows), 1.0, Box(0, 0, 1000, 1000))


def clean(text: str) -> str:
    """Leave out what nobody sees of a text; halves of characters become the sign for an unknown one."""
    return _LONE.sub("\ufffd", _UNSEEN.sub("", text))


def sentences_of(text: str) -> list[str]:
    """Split a paragraph into sentences."""
    found: list[str] = []
    start = 0
    for end in (match.end() for match in _SENTENCE_END.finditer(text)):
        if not _ABBREVIATED.search(text[max(start, end - 12) : end].lstrip()):
            found.append(text[start:end].strip())
            start = end
    return [*found, rest] if (rest := text[start:].strip()) else found


def _cells(line: TextLine) -> Iterator[TextLine]:
    """Part a line at its wide gaps; where its pieces stand is told by their share of the letters."""
    text, box = clean(line.text).strip(), line.box
    if not _WIDE.search(text):
        if text:
            yield TextLine(text, box)
        return
    gaps = list(_WIDE.finditer(text))
    if len(gaps) >= _MOST_CELLS:
        yield TextLine(" ".join(text.split()), box)
        return
    scale, start = (box.xmax - box.xmin) / len(text), 0
    for gap in [*gaps, None]:
        end = gap.start() if gap else len(text)
        left, right = box.xmin + start * scale, box.xmin + end * scale
        yield TextLine(text[start:end], Box(box.ymin, int(left), box.ymax, max(int(right), int(left) + 1)))
        start = gap.end() if gap else end


def _in_blocks(lines: Sequence[TextLine]) -> Iterator[Line]:
    """Number the blocks: white space, other letters or a new column begin the next one."""
    steps = sorted(
        here.box.ymax - above.box.ymax for above, here in pairwise(lines) if here.box.ymin >= above.box.ymax
    )
    # Steps within paragraphs are the small ones; on a page of few lines the median may be another.
    usual = steps[len(steps) // 3] if steps else 0
    block, above = 0, None
    for line in lines:
        if above is not None and not _continues(above, line.box, usual):
            block += 1
        yield Line(line.text, 1.0, line.box, (), block)
        above = line.box


def _continues(above: Box, here: Box, usual: float) -> bool:
    small, large = sorted((above.ymax - above.ymin, here.ymax - here.ymin))
    if above.ymax - here.ymin > small / 2:
        # Beside it: a cell of the same row, but no other column.
        return abs(here.ymax - above.ymax) <= large / 2
    step = here.ymax - above.ymax
    # On a page of headings alone the usual step is a wide one.
    near = step <= _WIDER * usual and step - large <= _WIDEST * large
    return near and large <= max(_OTHER_SIZE * small, small + 3)


def _bands(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Part a page at the wide white bands across it: what stands above one is no part of a table below."""
    band: list[Line] = []
    lowest = 0
    for line in sorted(lines, key=lambda line: line.box.ymin):
        if band and line.box.ymin - lowest > _BAND * _height(line):
            yield band
            band = []
        band.append(line)
        lowest = max(lowest if len(band) > 1 else 0, line.box.ymax)
    if band:
        yield band


def _size(lines: Sequence[TextLine]) -> tuple[int, int]:
    """Tell from the shape of the letters whether a page lies: they are about half as wide as high."""
    shapes = [
        _LETTER_WIDTH * len(x.text) * (x.box.ymax - x.box.ymin) / max(x.box.xmax - x.box.xmin, 1)
        for x in lines
        if len(x.text) >= 8
    ]
    return LANDSCAPE if shapes and median(shapes) > 1.0 else PORTRAIT


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in lines:
        last = rows[-1][-1].box if rows else line.box
        middle = (line.box.ymin + line.box.ymax) / 2
        if rows and last.ymin < middle < last.ymax and line.box.xmin >= last.xmax:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _row_text(row: Sequence[Line]) -> str:
    return "  ".join(line.text for line in row)


def _heading(rows: Sequence[Sequence[Line]], usual: float) -> str:
    """Give a block's text where it is a heading."""
    lines = [line for row in rows for line in row]
    text = " ".join(line.text for line in lines)
    if len(rows) > 2 or len(lines) > len(rows) or len(text.split()) > _MOST_HEADING_WORDS:
        return ""
    if text.endswith((".", ",", ";", ":")) or not re.search(r"[^\W\d_]{2}", text):
        return ""
    larger = min(_height(line) for line in lines) >= max(_OTHER_SIZE * usual, usual + 3)
    return text if larger or (len(rows) == 1 and _NUMBERED_HEADING.match(text)) else ""


def _height(line: Line) -> int:
    return line.box.ymax - line.box.ymin


def _pieces(rows: Sequence[Sequence[Line]]) -> Iterator[str]:
    """Give the sentences of a block; rows of several cells and items of lists stand for themselves."""
    widest = max((row[-1].box.xmax for row in rows), default=0)
    run: list[str] = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        if len(row) > 1:
            yield from _sentences(run)
            run = []
            yield " ".join(line.text for line in row)
            continue
        run.append(row[0].text)
        if after is None or _BULLET.match(after[0].text) or _ends(row[0], after[0], widest):
            yield from _sentences(run)
            run = []
    yield from _sentences(run)


def _ends(line: Line, after: Line, widest: int) -> bool:
    """Tell whether a paragraph or an item ends here: the line is short, and the next begins anew."""
    short = line.box.xmax - line.box.xmin < _FULL * max(widest - line.box.xmin, 1)
    return short and not after.text[:1].islower() and not line.text.endswith((",", "-"))


def _sentences(lines: Sequence[str]) -> list[str]:
    text = ""
    for line in lines:
        if text.endswith("-") and text[-2:-1].islower() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    found = sentences_of(text)
    if len(found) == 1 and len(text) > _LONG_PASSAGE and max(map(len, lines)) <= _CELL_CHARACTERS:
        # Short lines without an end of a sentence are a list: each stands for itself.
        return list(lines)
    return found
