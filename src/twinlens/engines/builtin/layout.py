"""In which order people read what stands on a page: columns, paragraphs, rows. Pure, over rectangles.

A recursive cut along white space (XY-cut), with one refinement: a white gutter separates columns of
prose, and panels whose rows do not line up; where rows do line up it belongs to a table, which is
read row by row.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_GUTTER = 0.8
"""How wide, in line heights, white space must be to part columns."""
_PROSE_ASPECT = 7.0
"""A line of prose is at least so many times as long as it is high."""
_LEAST_ROWS = 3
_ALIGNED = 0.6
"""The share of lines that must have a partner at their height for two columns to be a table."""
_TOUCH = 0.4
"""Neighbours may overlap by so many line heights: boxes are drawn with some air round the letters."""
_DEEPEST = 40
_PARAGRAPH_GAP, _WIDEST = 0.5, 1.2
_WIDER = 1.4
"""White space parts paragraphs from half a line's height on, or from so many times the usual gap."""
_OTHER_SIZE = 1.45


@dataclass(frozen=True, slots=True)
class Rect:
    """Where a line stands: edges in pixels of a straight page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From the left edge to the right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From the top edge to the bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Half-way down."""
        return (self.top + self.bottom) / 2


Group = list[int]
"""Indices of rectangles, in reading order."""


def blocks(rects: Sequence[Rect]) -> list[Group]:
    """Put the rectangles in reading order, grouped by column, paragraph or panel."""
    return [block for region in regions(rects) for block in _paragraphs(rects, region)]


def regions(rects: Sequence[Rect]) -> list[Group]:
    """Cut the page into regions without columns of their own; a table is one region, row by row."""
    return _cut(rects, list(range(len(rects))))


def rows(rects: Sequence[Rect], group: Iterable[int]) -> list[Group]:
    """Group what stands at one height, from the top down, each row from left to right."""
    found: list[Group] = []
    for index in sorted(group, key=lambda i: rects[i].middle):
        row = next((r for r in reversed(found[-3:]) if _same_row(rects, r, index)), None)
        if row is None:
            found.append([index])
        else:
            row.append(index)
    return [sorted(row, key=lambda i: rects[i].left) for row in found]


def spans(intervals: Iterable[tuple[float, float]], gap: float = 0.0) -> list[tuple[float, float]]:
    """Merge intervals that overlap, or lie no further apart than the gap."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _same_row(rects: Sequence[Rect], row: Group, index: int) -> bool:
    rect, last = rects[index], rects[row[-1]]
    if any(_overlap(rects[i], rect) > _TOUCH * min(rects[i].height, rect.height) for i in row):
        return False
    return abs(rect.middle - last.middle) < 0.5 * min(rect.height, last.height)


def _overlap(one: Rect, other: Rect) -> float:
    return min(one.right, other.right) - max(one.left, other.left)


def _cut(rects: Sequence[Rect], group: Group, depth: int = 0) -> list[Group]:
    if len(group) < 2:
        return [group] if group else []
    columns = _columns(rects, group) if depth < _DEEPEST else []
    if columns:
        return [region for column in columns for region in _cut(rects, column, depth + 1)]
    return _cut_strips(rects, _strips(rects, group), depth)


def _cut_strips(rects: Sequence[Rect], strips: list[Group], depth: int) -> list[Group]:
    """Cut out the runs of strips that have columns; what lies between them stays together."""
    found: list[Group] = []
    plain: Group = []
    start = 0
    while start < len(strips):
        run = _run_with_gutter(rects, strips[start:]) if depth < _DEEPEST else 0
        if run:
            found += [plain] if plain else []
            found += _cut(rects, [i for strip in strips[start : start + run] for i in strip], depth + 1)
            plain, start = [], start + run
        else:
            plain += _in_rows(rects, strips[start])
            start += 1
    return found + ([plain] if plain else [])


def _run_with_gutter(rects: Sequence[Rect], strips: Sequence[Group]) -> int:
    """Count the strips from the first on that share white space which parts columns from top to bottom."""
    if len(strips[0]) < 2:
        return 0
    gap = _GUTTER * median(rects[i].height for i in strips[0])
    taken: list[tuple[float, float]] = []
    run = 0
    for strip in strips:
        taken = spans([*taken, *((rects[i].left, rects[i].right) for i in strip)], gap)
        if len(taken) < 2:
            break
        run += 1
    together = [i for strip in strips[:run] for i in strip]
    return run if run and _columns(rects, together) else 0


def _columns(rects: Sequence[Rect], group: Group) -> list[Group]:
    """Part a group at the widest gutter that is one, or not at all."""
    gap = _GUTTER * median(rects[i].height for i in group)
    taken = spans(((rects[i].left, rects[i].right) for i in group), gap)
    gutters = sorted(pairwise(taken), key=lambda pair: pair[0][1] - pair[1][0])
    for (_, edge), _ in gutters:
        sides = [i for i in group if rects[i].right <= edge], [i for i in group if rects[i].left > edge]
        if _is_gutter(rects, *sides):
            return list(sides)
    return []


def _is_gutter(rects: Sequence[Rect], left: Group, right: Group) -> bool:
    if min(len(left), len(right)) < _LEAST_ROWS or not _side_by_side(rects, left, right):
        return False
    return (_is_prose(rects, left) and _is_prose(rects, right)) or not _line_up(rects, left, right)


def _side_by_side(rects: Sequence[Rect], left: Group, right: Group) -> bool:
    low = max(min(rects[i].top for i in side) for side in (left, right))
    high = min(max(rects[i].bottom for i in side) for side in (left, right))
    return high > low


def _is_prose(rects: Sequence[Rect], side: Group) -> bool:
    return median(rects[i].width / max(rects[i].height, 1) for i in side) >= _PROSE_ASPECT


def _line_up(rects: Sequence[Rect], left: Group, right: Group) -> bool:
    fewer, more = sorted((left, right), key=len)
    levels = sorted(rects[i].middle for i in more)
    level = sum(_has_within(levels, rects[i].middle, 0.3 * rects[i].height) for i in fewer)
    return level >= _ALIGNED * len(fewer)


def _has_within(levels: Sequence[float], middle: float, reach: float) -> bool:
    after = bisect_left(levels, middle - reach)
    return after < len(levels) and levels[after] <= middle + reach


def _strips(rects: Sequence[Rect], group: Group) -> list[Group]:
    """Part a group wherever nothing crosses from the left edge to the right."""
    # Boxes of neighbouring lines may touch; a fifth off either edge parts them.
    shaved = {i: (rects[i].top + rects[i].height / 5, rects[i].bottom - rects[i].height / 5) for i in group}
    bands = spans(shaved.values())
    return [[i for i in group if low <= shaved[i][0] <= high] for low, high in bands]


def _in_rows(rects: Sequence[Rect], group: Group) -> Group:
    return [i for row in rows(rects, group) for i in row]


def _paragraphs(rects: Sequence[Rect], region: Group) -> list[Group]:
    """Part a region where the white space between rows, or the size of the letters, changes."""
    found_rows = rows(rects, region)
    gaps = [_gap(rects, above, here) for above, here in pairwise(found_rows)]
    usual = median(gaps) if gaps else 0.0
    found = [list(row) for row in found_rows[:1]]
    for gap, row in zip(gaps, found_rows[1:], strict=True):
        if _continues(rects[found[-1][-1]], rects[row[0]], gap, usual):
            found[-1] += row
        else:
            found.append(list(row))
    return found


def _gap(rects: Sequence[Rect], above: Group, here: Group) -> float:
    return min(rects[i].top for i in here) - max(rects[i].bottom for i in above)


def _continues(above: Rect, here: Rect, gap: float, usual: float) -> bool:
    small, large = sorted((above.height, here.height))
    widest = min(max(_PARAGRAPH_GAP * large, _WIDER * usual), _WIDEST * large)
    return gap < widest and large < _OTHER_SIZE * small
