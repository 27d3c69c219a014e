"""Texts with marks in them, read without them: HTML, XML and Markdown. Nothing is resolved or fetched.

The scanner goes once through the text, whatever it holds: it is a stranger's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..facts import Table
from .pages import clean, table_of

_NAME = re.compile(r"/?([^\s/>]{1,100})")
_SKIPPED = frozenset(("script", "style", "template", "noscript"))
_BLOCKS = """
address article aside blockquote br dd div dl dt figcaption footer form h1 h2 h3 h4 h5 h6 header hr li main
nav ol p pre section table td th title tr ul
"""
_BREAKS = frozenset(_BLOCKS.split())
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_MARKED_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*$")
_MARKS = re.compile(r"(\*\*|__|\*|`)(?=\S)([^*_`\n]{1,300}?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)")
_TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$")
_LONGEST_MARKED = 5000
_RULE_ROW = re.compile(r"^[\s|:-]+$")


@dataclass(slots=True)
class Stripped:
    """A text without its marks: lines, the headings among them, the title, and the tables."""

    lines: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    title: str = ""
    tables: list[Table] = field(default_factory=list)


def read_html(text: str) -> Stripped:
    """Read a page of HTML."""
    found, words = Stripped(), ""
    rows: list[list[str]] = []
    for kind, said in _pieces(text):
        if kind == "text":
            words += said
            continue
        name = said.lower()
        if name not in _BREAKS:
            continue
        line, words = " ".join(words.split()), ""
        closed = kind == "close"
        if line and closed and name == "title":
            found.title = line
        elif line and closed and name in ("td", "th") and rows:
            rows[-1].append(line)
        elif line:
            found.lines.append(line)
            found.headings += [line] if closed and name in _HEADINGS else []
        if not line and closed and name in ("td", "th") and rows:
            rows[-1].append("")
        if name == "tr" and not closed:
            rows.append([])
        if name == "table":
            _close_table(rows, found)
            rows = []
        if name in ("p", "div", "section", *_HEADINGS) and not closed and found.lines and found.lines[-1]:
            found.lines.append("")
    if rest := " ".join(words.split()):
        found.lines.append(rest)
    return found


def read_xml(text: str) -> Stripped:
    """Read XML: a line for each element that holds text, as `name: text`."""
    found, words, open_names = Stripped(), "", [""]
    for kind, said in _pieces(text):
        if kind == "text":
            words += said
            continue
        line, words = " ".join(words.split()), ""
        name = open_names[-1]
        if line:
            found.lines.append(f"{name}: {line}" if name and kind == "close" else line)
        if kind == "open":
            open_names.append(said.rpartition(":")[2])
        elif kind == "close" and len(open_names) > 1:
            open_names.pop()
    return found


def read_markdown(text: str) -> Stripped:
    """Read Markdown: headings, tables, and plain words."""
    found = Stripped()
    rows: list[list[str]] = []
    for raw in [*text.splitlines(), ""]:
        if _TABLE_ROW.match(raw):
            cells = [_plain(cell).strip() for cell in raw.strip().strip("|").split("|")]
            rows += [] if _RULE_ROW.match(raw) else [cells]
            continue
        _close_table(rows, found)
        rows = []
        heading = _MARKED_HEADING.match(raw)
        line = _plain(heading[1]) if heading else _plain(raw)
        if heading:
            found.headings.append(line)
            found.title = found.title or line
        found.lines.append(line)
    return found


def _close_table(rows: list[list[str]], found: Stripped) -> None:
    """Keep the rows as a table, and as lines too: what is searched are the lines."""
    full = [row for row in rows if row]
    if len(full) > 1:
        found.tables.append(table_of(full))
    found.lines += ["\t".join(row) for row in full]


def _plain(line: str) -> str:
    # Nobody marks up a line that long by hand, and what looks for marks is slow where there are many.
    return (
        line.rstrip() if len(line) > _LONGEST_MARKED else _MARKS.sub(r"\2", _LINK.sub(r"\1", line)).rstrip()
    )


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Give texts and tags (`open`, `close`, `empty`) in order; comments and instructions are left out."""
    at, skipped, lower = 0, "", text.lower()
    while at < len(text):
        start = text.find("<", at)
        if start < 0:
            yield "text", clean(html.unescape(text[at:]))
            return
        if start > at:
            yield "text", clean(html.unescape(text[at:start]))
        if text.startswith("<!--", start):
            at = _after(text, "-->", start)
        elif text.startswith("<![CDATA[", start):
            at = _after(text, "]]>", start)
            yield "text", text[start + 9 : at - 3]
        elif not (text[start + 1 : start + 2].isalpha() or text[start + 1 : start + 2] in ("/", "!", "?")):
            yield "text", "<"
            at = start + 1
        else:
            at = _after(text, ">", start)
            name = _NAME.match(text, start + 1)
            if name is None or text[start + 1] in "!?":
                continue
            if (skipped := name[1].lower()) in _SKIPPED and text[start + 1] != "/":
                end = lower.find(f"</{skipped}", at)
                at = end if end >= 0 else len(text)
                continue
            empty = text[at - 2 : at] == "/>"
            yield ("close" if text[start + 1] == "/" else "empty" if empty else "open"), name[1]


def _after(text: str, mark: str, start: int) -> int:
    """Find what lies behind the next such mark; without one the rest belongs to it."""
    end = text.find(mark, start)
    return end + len(mark) if end >= 0 else len(text)
