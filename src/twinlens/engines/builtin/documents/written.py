"""Text files as pages: their lines placed as a print would place them, and their form made use of.

A file has no pages; it is cut into sheets only so that places fit the engine's geometry. A sheet has the
number 0, which is never shown.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ....domain.engine_media import PageText, TextFile, TextLine
from ....domain.media import Json
from ....domain.media_types import essence
from ....domain.regions import Box
from ..facts import Table
from . import markup
from .pages import Page, clean, page_of, table_of

_SHEET_LINES = 40
_PITCH, _HEIGHT, _LETTER = 24, 18, 8
_SEPARATORS = ",;\t|"
_SNIFFED_ROWS = 20
_DEEPEST = 60
_MOST_PADDED = 100_000
"""So many empty cells may fill up a table, if they are more than the written ones."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text file that was read: its sheets, what it says in full, its title, and what it is called."""

    sheets: tuple[Page, ...]
    text: str
    form: str = "a text file"
    title: str = ""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of all sheets."""
        return tuple(table for sheet in self.sheets for table in sheet.tables)


def read(file: TextFile) -> Written:
    """Read a text file by its form; one that does not keep to its form is read as plain text."""
    reader = _READERS.get(essence(file.mime_type), _plain)
    text = clean(file.text)
    return reader(text) or _plain(text)


def _plain(text: str) -> Written:
    return Written(_sheets(text.splitlines(), headings=()), text)


def _html(text: str) -> Written:
    return _marked(markup.read_html(text), "an HTML page")


def _xml(text: str) -> Written:
    found = markup.read_xml(text)
    return Written(_apart(found.lines, ()), "\n".join(found.lines), "an XML file")


def _markdown(text: str) -> Written:
    return _marked(markup.read_markdown(text), "a Markdown text", text)


def _marked(found: markup.Stripped, form: str, text: str | None = None) -> Written:
    sheets = _sheets(found.lines, found.tables, tuple(found.headings))
    return Written(sheets, "\n".join(found.lines) if text is None else text, form, found.title)


def _csv(text: str) -> Written | None:
    # Records end at these alone; other signs that end a line in prose may stand in a cell.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not any(line.strip() for line in lines):
        return None
    sample = [line for line in lines[:_SNIFFED_ROWS] if line.strip()]
    separator = max(_SEPARATORS, key=lambda mark: min(line.count(mark) for line in sample))
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
    except csv.Error:
        return None
    if not rows or _is_padding(max(map(len, rows)) * len(rows), sum(map(len, rows))):
        return None
    table = table_of([[cell.strip() for cell in row] for row in rows])
    return Written(_apart(lines, [table]), text, "a table of separated values")


def _is_padding(cells: int, written: int) -> bool:
    """Tell a table that would be mostly empty: one wide row over very many short ones is no table."""
    return cells > 2 * written + _MOST_PADDED


def _json(text: str) -> Written | None:
    tables: list[Table] = []
    try:
        # What can just be read may still be too deep to be written out.
        lines = list(_paths(json.loads(text), "", tables, 0))
    except (ValueError, RecursionError):
        return _json_lines(text)
    return Written(_apart(lines, tables), text, "a JSON file")


def _json_lines(text: str) -> Written | None:
    tables: list[Table] = []
    try:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
        lines = list(_paths(records, "", tables, 0))
    except (ValueError, RecursionError):
        return None
    return Written(_apart(lines, tables), text, "a file of JSON lines") if records else None


def _paths(value: Json, path: str, tables: list[Table], depth: int) -> Iterator[str]:
    """Write each value as `path: value`; a list of objects is a table too."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{clean(key)}" if path else clean(key), tables, depth + 1)
    elif isinstance(value, list) and not any(isinstance(inner, dict | list) for inner in value):
        yield f"{path}: {', '.join(map(_scalar, value))}"
    elif isinstance(value, list):
        tables += _table_of_objects(value)
        yield f"{path or 'all'}: {len(value)} entries"
        for index, inner in enumerate(value):
            yield from _paths(inner, f"{path}[{index}]", tables, depth + 1)
    elif value is not None:
        yield f"{path}: {_scalar(value)}" if path else _scalar(value)


def _table_of_objects(values: Sequence[Json]) -> list[Table]:
    records = [value for value in values if isinstance(value, Mapping)]
    header = list(dict.fromkeys(key for record in records for key in record))
    if len(records) < len(values) or not header:
        return []
    if _is_padding(len(header) * len(records), sum(map(len, records))):
        return []
    rows = [[_cell(record.get(key)) for key in header] for record in records]
    return [table_of([[clean(key) for key in header], *rows])]


def _cell(value: Json) -> str:
    return clean(json.dumps(value, ensure_ascii=False)) if isinstance(value, dict | list) else _scalar(value)


def _scalar(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return clean(str(value))


def _apart(lines: Sequence[str], tables: Sequence[Table]) -> tuple[Page, ...]:
    """Place records: each line stands for itself, and none is a heading."""
    first, *rest = _sheets(lines, tables, ())
    return tuple(
        replace(page, lines=tuple(replace(line, block=index) for index, line in enumerate(page.lines)))
        for page in (first, *rest)
    )


def _sheets(
    lines: Sequence[str], tables: Sequence[Table] = (), headings: tuple[str, ...] | None = None
) -> tuple[Page, ...]:
    """Place the lines on sheets; the tables belong to the first."""
    starts = range(0, max(len(lines), 1), _SHEET_LINES)
    sheets = [_sheet(lines[start : start + _SHEET_LINES], headings) for start in starts]
    first = Page(0, sheets[0].lines, sheets[0].size, given=tuple(tables), marked=sheets[0].marked)
    return (first, *sheets[1:])


def _sheet(lines: Sequence[str], headings: tuple[str, ...] | None) -> Page:
    placed: list[TextLine] = []
    for row, line in enumerate(lines):
        plain = line.expandtabs(16).rstrip()
        if not plain.strip():
            continue
        left = min((len(plain) - len(plain.lstrip())) * _LETTER, 500)
        right = min(max(len(plain) * _LETTER, left + 1), 1000)
        placed.append(TextLine(plain.strip(), Box(row * _PITCH, left, row * _PITCH + _HEIGHT, right)))
    page = page_of(PageText(0, tuple(placed)))
    known = None if headings is None else tuple(x.text for x in page.lines if x.text in headings)
    return Page(0, page.lines, page.size, marked=known)


_READERS: Mapping[str, Callable[[str], Written | None]] = {
    "text/csv": _csv,
    "application/csv": _csv,
    "text/tab-separated-values": _csv,
    "application/json": _json,
    "text/json": _json,
    "application/x-ndjson": _json,
    "application/jsonl": _json,
    "text/html": _html,
    "application/xhtml+xml": _html,
    "text/xml": _xml,
    "application/xml": _xml,
    "text/markdown": _markdown,
    "text/x-markdown": _markdown,
}
