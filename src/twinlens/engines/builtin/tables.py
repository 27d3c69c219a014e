"""Tables: text that stands in rows and columns, found by the white space between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import fmean, median

from ...domain.regions import Box
from . import layout, values
from .facts import Line, Table
from .layout import Group, Rect

_LEAST_ROWS = 3
_LEAST_ROWS_OF_MANY = 2
_MANY_COLUMNS = 3
_LEAST_FILLED = 0.6
_ROW_PITCH = 4.0
"""Rows further apart than so many heights of a line belong to different tables."""
_AIR = 0.2
_SET_APART = 1.6
_PROSE_CHARACTERS = 45
"""Cells that are longer than this on the average are columns of prose, or notes beside each other."""
_MOST_CUT, _MOST_LINES = 400, 1500
"""A page of more lines is not cut into regions first; one of very many is a pattern and has no table."""


def find(lines: Sequence[Line], width: int, height: int) -> tuple[Table, ...]:
    """Find the tables among the lines of a picture of the given size."""
    if len(lines) > _MOST_LINES:
        return ()
    rects = [_rect(line.box, width, height) for line in lines]
    regions = layout.regions(rects) if len(rects) <= _MOST_CUT else [list(range(len(rects)))]
    grids = (grid for region in regions for grid in _grids(rects, region))
    tables = (_table(lines, rects, grid) for grid in grids)
    return tuple(table for table in tables if table is not None)


def continued(pages: Sequence[Sequence[Table]]) -> list[list[Table]]:
    """Put together, page by page, tables that go on over the next page; they stand where they begin."""
    joined = [list(found) for found in pages]
    flat = [(page, index) for page, found in enumerate(joined) for index in range(len(found))]
    taken: set[tuple[int, int]] = set()
    open_at: tuple[int, int] | None = None
    for before, here in pairwise(flat):
        start = open_at if open_at and before in taken else before
        rows = _more_rows(joined[start[0]][start[1]], joined[here[0]][here[1]], here[0] - before[0])
        if rows is None:
            open_at = None
            continue
        whole = joined[start[0]][start[1]]
        joined[start[0]][start[1]] = replace(whole, rows=(*whole.rows, *rows))
        taken.add(here)
        open_at = start
    return [[t for i, t in enumerate(found) if (page, i) not in taken] for page, found in enumerate(joined)]


def _more_rows(table: Table, after: Table, pages_on: int) -> Sequence[tuple[str, ...]] | None:
    """Give the rows that go on with a table, its header left out where it is printed again."""
    if pages_on != 1 or not table.rows or not after.rows or len(table.rows[0]) != len(after.rows[0]):
        return None
    if _said(table.rows[0]) == _said(after.rows[0]):
        return after.rows[1:]
    numeric = [
        index
        for index, head in enumerate(table.rows[0])
        if values.number(head) is None
        and sum(values.number(row[index]) is not None for row in table.rows[1:]) > 0
    ]
    goes_on = sum(values.number(after.rows[0][index]) is not None for index in numeric)
    return after.rows if 2 * goes_on > len(numeric) else None


def _said(row: Sequence[str]) -> list[str]:
    return [" ".join(cell.lower().split()) for cell in row]


_Cells = list[int | None]


@dataclass(slots=True)
class _Grid:
    """Consecutive rows, and the spans of x that their columns take so far."""

    rows: list[Group] = field(default_factory=list)
    columns: list[tuple[float, float]] = field(default_factory=list)


def _rect(box: Box, width: int, height: int) -> Rect:
    """Give the rectangle in pixels, without the air that boxes have on either side of the letters."""
    x, y = width / 1000, height / 1000
    air = min(_AIR * (box.ymax - box.ymin) * y, (box.xmax - box.xmin) * x / 4)
    return Rect(box.xmin * x + air, box.ymin * y, box.xmax * x - air, box.ymax * y)


def _grids(rects: Sequence[Rect], region: Group) -> list[_Grid]:
    """Walk down the rows; a row that does not fit the columns above begins another grid."""
    grids = [_Grid()]
    for row in layout.rows(rects, region):
        columns = _columns_with(rects, grids[-1], row)
        if columns is None:
            grids.append(_Grid())
            columns = [(rects[i].left, rects[i].right) for i in row]
        grids[-1].rows.append(row)
        grids[-1].columns = columns
    return grids


def _columns_with(rects: Sequence[Rect], grid: _Grid, row: Group) -> list[tuple[float, float]] | None:
    """Give the columns when this row joins, or None where it would run two of them together."""
    cells = [(rects[i].left, rects[i].right) for i in row]
    if not grid.rows:
        return cells
    above = rects[grid.rows[-1][0]]
    if rects[row[0]].middle - above.middle > _ROW_PITCH * above.height:
        return None
    columns = layout.spans([*grid.columns, *cells])
    bridges = any(sum(_meet(cell, column) for column in grid.columns) > 1 for cell in cells)
    crowded = any(sum(_meet(cell, column) for cell in cells) > 1 for column in columns)
    return None if bridges or crowded else columns


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _table(lines: Sequence[Line], rects: Sequence[Rect], grid: _Grid) -> Table | None:
    rows = _trimmed(rects, grid.rows)
    if not rows:
        return None
    cells = _with_headings_over_cells([_cells(rects, row, grid.columns) for row in rows])
    found = [lines[index] for row in cells for index in row if index is not None]
    columns = len(cells[0])
    if not _is_table([line.text for line in found], len(cells), columns):
        return None
    texts = tuple(tuple("" if index is None else lines[index].text for index in row) for row in cells)
    filled = len(found) / (columns * len(cells))
    score = fmean(line.score for line in found) * (1 + filled) / 2
    return Table(texts, score, _around([line.box for line in found]))


def _trimmed(rects: Sequence[Rect], rows: list[Group]) -> list[Group]:
    """Drop what stands alone above and below, and what is set apart above: titles, notes, tool bars."""
    several = [number for number, row in enumerate(rows) if len(row) > 1]
    rows = rows[several[0] : several[-1] + 1] if several else []
    if len(rows) > _LEAST_ROWS:
        first, *rest = (rects[b[0]].middle - rects[a[0]].middle for a, b in pairwise(rows))
        return rows[1:] if first > _SET_APART * median(rest) else rows
    return rows


def _cells(rects: Sequence[Rect], row: Group, columns: Sequence[tuple[float, float]]) -> _Cells:
    return [
        next((i for i in row if _meet((rects[i].left, rects[i].right), column)), None) for column in columns
    ]


def _with_headings_over_cells(rows: list[_Cells]) -> list[_Cells]:
    """Unite a column that holds nothing but a heading with the one beside it that lacks one.

    A heading at the left of its column and numbers at the right need not overlap.
    """
    column = 0
    while column + 1 < len(rows[0]):
        left, right = ([row[column + side] is not None for row in rows] for side in (0, 1))
        apart = not any(a and b for a, b in zip(left, right, strict=True))
        if apart and (_only_heading(left) or _only_heading(right)):
            rows = [_joined(row, column) for row in rows]
        else:
            column += 1
    return rows


def _only_heading(filled: Sequence[bool]) -> bool:
    return filled[0] and not any(filled[1:])


def _joined(row: _Cells, column: int) -> _Cells:
    left, right = row[column : column + 2]
    return [*row[:column], right if left is None else left, *row[column + 2 :]]


def _is_table(texts: Sequence[str], rows: int, columns: int) -> bool:
    """Prose in columns has long cells; a scatter of labels leaves most places empty."""
    if columns < 2 or rows < (_LEAST_ROWS_OF_MANY if columns >= _MANY_COLUMNS else _LEAST_ROWS):
        return False
    long = sum(len(text) > _PROSE_CHARACTERS for text in texts)
    return len(texts) >= _LEAST_FILLED * rows * columns and long < len(texts) / 4


def _around(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.ymin for box in boxes),
        min(box.xmin for box in boxes),
        max(box.ymax for box in boxes),
        max(box.xmax for box in boxes),
    )
