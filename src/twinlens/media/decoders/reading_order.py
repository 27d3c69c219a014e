"""The order in which the lines of a page are read, found from where they stand. Knows no PDF.

A document mostly writes its lines in that order, and then knows better than any guess from the layout.
Only where it jumps about, or writes two columns of prose across, are the lines put in order by cutting
the page along its widest white bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import Protocol


class Region(Protocol):
    """Where a line stands: x to the right, y downwards."""

    @property
    def left(self) -> float: ...
    @property
    def top(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def bottom(self) -> float: ...


@dataclass(frozen=True, slots=True)
class _Item:
    index: int
    left: float
    top: float
    right: float
    bottom: float
    chars: int

    @property
    def height(self) -> float:
        return self.bottom - self.top


_PROSE_CHARS = 20
"""Lines of a column have that many characters on average; cells of a table mostly fewer.

Chosen, not measured."""
_COLUMN_LINES = 3
_MAX_DEPTH = 40


def in_order(places: Sequence[Region], chars: Sequence[int]) -> list[int]:
    """Return the indices of lines in reading order. They come in the order of the document's content."""
    items = [
        _Item(index, place.left, place.top, place.right, place.bottom, count)
        for index, (place, count) in enumerate(zip(places, chars, strict=True))
    ]
    if _is_orderly(items):
        return list(range(len(items)))
    return [item.index for item in _cut(items, _MAX_DEPTH)]


def _is_orderly(items: Sequence[_Item]) -> bool:
    """Whether the lines come one below the other, a step up leading to the next column only."""
    for before, after in pairwise(items):
        if after.bottom < before.top and after.left < before.right:
            return False
    return not _writes_across(items)


def _writes_across(items: Sequence[_Item]) -> bool:
    """Whether columns of prose are written line by line across the page."""
    steps = [
        (before, after)
        for before, after in pairwise(items)
        if _on_one_line(before, after) and after.left >= before.right
    ]
    prose = [min(before.chars, after.chars) >= _PROSE_CHARS for before, after in steps]
    return sum(prose) >= _COLUMN_LINES and sum(prose) * 2 > len(prose)


def _on_one_line(one: _Item, other: _Item) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > 0.5 * min(one.height, other.height)


def _cut(items: list[_Item], depth: int) -> list[_Item]:
    """Cut at the white band that parts the lines best, and order both sides."""
    if len(items) < 2 or not depth:
        return _in_rows(items)
    columns, blocks = _columns(items), _blocks(items)
    # A heading goes before the columns that it stands above, and a foot after them.
    parts = blocks if blocks and min(map(len, blocks)) < _COLUMN_LINES else columns or blocks
    if parts is None:
        return _in_rows(items)
    return [item for part in parts for item in _cut(part, depth - 1)]


def _columns(items: list[_Item]) -> tuple[list[_Item], list[_Item]] | None:
    """Split at the widest white band from top to bottom that has prose on both sides."""
    by_left = sorted(items, key=lambda item: item.left)
    chars = list(accumulate(item.chars for item in by_left))
    edge, best = by_left[0].right, (0.0, 0)
    for count, item in enumerate(by_left[1:], start=1):
        left, right = chars[count - 1], chars[-1] - chars[count - 1]
        if item.left > edge and _is_prose(left, count) and _is_prose(right, len(items) - count):
            best = max(best, (item.left - edge, count))
        edge = max(edge, item.right)
    if not best[1]:
        return None
    return by_left[: best[1]], by_left[best[1] :]


def _is_prose(chars: int, lines: int) -> bool:
    return lines >= _COLUMN_LINES and chars >= _PROSE_CHARS * lines


def _blocks(items: list[_Item]) -> tuple[list[_Item], list[_Item]] | None:
    """Split at the widest white band from left to right, if it is wider than what is between lines."""
    by_top = sorted(items, key=lambda item: item.top)
    edge, best = by_top[0].bottom, (0.0, 0)
    for count, item in enumerate(by_top[1:], start=1):
        best = max(best, (item.top - edge, count))
        edge = max(edge, item.bottom)
    if best[0] <= 0.5 * median(item.height for item in items):
        return None
    return by_top[: best[1]], by_top[best[1] :]


def _in_rows(items: list[_Item]) -> list[_Item]:
    """Order from top to bottom, and what stands on one line from left to right."""
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda item: (item.top + item.bottom, item.left)):
        if rows and _on_one_line(rows[-1][0], item):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [item for row in rows for item in sorted(row, key=lambda item: item.left)]
