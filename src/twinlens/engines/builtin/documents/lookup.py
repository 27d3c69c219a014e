"""Questions that a table answers: the cell where a row and a column meet, sums of a column, its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from .. import values
from ..facts import Table
from ..wording import stems, tokens

_FIGURES: tuple[tuple[str, re.Pattern[str], Callable[[Sequence[float]], float]], ...] = (
    ("The sum", re.compile(r"\b(?:sum|total|add up|altogether)\b"), sum),
    ("The average", re.compile(r"\b(?:average|mean)\b"), fmean),
    ("The highest value", re.compile(r"\b(?:highest|largest|maximum|max|biggest|most|top)\b"), max),
    ("The lowest value", re.compile(r"\b(?:lowest|smallest|minimum|min|least)\b"), min),
)
_REQUEST = """
sum total add altogether average mean highest largest maximum max biggest top lowest smallest minimum min
value values column columns number all row rows entry entries record records table
"""
_OPERATION = stems(_REQUEST.split())
_SHOWN_ROWS = 5
_TOTAL_ROW = frozenset(stems(["total", "sum", "subtotal"]))


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and the row and the column it stands in."""

    value: str
    row: str
    column: str


def cell(needed: frozenset[str], table: Table) -> Cell | None:
    """Find the one cell whose row and column together have all the words that are needed."""
    if len(table.rows) < 2 or not needed:
        return None
    header, *body = table.rows
    heads = [stems(tokens(head)) for head in header]
    named = set().union(*heads)
    if not needed & named:
        return None
    found: list[Cell] = []
    for row in (row for row in body if _may_have(needed - named, row)):
        said = [stems(tokens(text)) for text in row]
        for column, head in enumerate(heads):
            others = set().union(*(words for index, words in enumerate(said) if index != column))
            if needed & head and needed & others - head and needed <= head | others and row[column].strip():
                key = next((text for text, words in zip(row, said, strict=True) if words & needed), row[0])
                found.append(Cell(row[column], key, header[column]))
    return found[0] if len({one.value for one in found}) == 1 else None


def rows_with(needed: frozenset[str], table: Table) -> Iterator[str]:
    """Give the rows that have all the words, each value with its header; a few of them."""
    header, *body = table.rows or ((),)
    shown = 0
    for row in body:
        if shown == _SHOWN_ROWS:
            return
        if needed and _may_have(needed, row) and needed <= stems(tokens(" ".join(row))):
            shown += 1
            yield ", ".join(f"{head}: {text}" for head, text in zip(header, row, strict=True) if text)


def _may_have(needed: Iterable[str], row: Sequence[str]) -> bool:
    """Look for the stems as letters first: tables may be long, and most rows have none of them."""
    said = " ".join(row).lower()
    return all(stem in said for stem in needed)


def figure(question: str, table: Table) -> tuple[str, float] | None:
    """Reckon the sum, the average, the highest or the lowest of the one column that is named."""
    asked = question.lower()
    reckon = next(((said, of) for said, pattern, of in _FIGURES if pattern.search(asked)), None)
    column = _column(stems(tokens(question)) - _OPERATION, table)
    if reckon is None or column is None:
        return None
    read = [values.number(row[column]) for row in _entries(table) if row[column].strip()]
    numbers = [number for number in read if number is not None]
    if not numbers or len(numbers) < len(read):
        return None
    said, of = reckon
    result = round(of(numbers), 6)
    return f"{said} of “{table.rows[0][column]}” over {len(numbers)} rows is {result:,.10g}.", result


def shape(table: Table) -> Mapping[str, int]:
    """Count its rows, the header left out, and its columns."""
    return {"row": max(len(table.rows) - 1, 0), "column": len(table.rows[0]) if table.rows else 0}


def _entries(table: Table) -> list[tuple[str, ...]]:
    return [row for row in table.rows[1:] if not any(stems(tokens(text)) & _TOTAL_ROW for text in row)]


def _column(needed: set[str], table: Table) -> int | None:
    """Find the one column whose header has all the words."""
    if not needed or len(table.rows) < 2:
        return None
    found = [index for index, head in enumerate(table.rows[0]) if needed <= stems(tokens(head))]
    return found[0] if len(found) == 1 else None
