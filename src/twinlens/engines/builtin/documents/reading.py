"""A document as far as a question needs it read: a page's own text is cheap, a scan has to be looked at.

No picture of a page is kept; what was read on it is, for the next question about the same document.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cached_property, partial

from ....concurrency.lru import AsyncLRU
from ....domain.engine_media import Document, TextFile
from .. import tables
from ..asked import LookAtImage
from ..facts import FactName, Facts, Table
from . import summary, written
from .pages import Page, page_of, scanned
from .paging import listed

MOST_SCANS = 100
"""So many scanned pages are read for one question; each takes a second or more."""

_TEXT: frozenset[FactName] = frozenset({"text"})
_MOST_REMEMBERED = 4_000_000
"""Characters; with all that is made of them they take some twenty times as many bytes."""

Key = tuple[str, Sequence[int] | int | str | None]


@dataclass(frozen=True)
class Reading:
    """The pages that a question is about, as far as they were read. `total` counts all of the document's.

    `unread` are scans that were not read. A text file has sheets in place of pages, which are not `numbered`,
    and its text as a `whole`.
    """

    pages: tuple[Page, ...]
    total: int
    unread: tuple[int, ...] = ()
    numbered: bool = True
    form: str = "a PDF document"
    whole: str = ""
    own_title: str = ""

    @cached_property
    def title(self) -> str:
        """What it is called: by its own marks, else the line that is set largest."""
        if self.numbered:
            return summary.title(self.pages)
        return self.own_title or next((heading for page in self.pages for heading in page.headings), "")

    @property
    def text(self) -> str:
        """All that was read, each page under its number where there are several."""
        if not self.numbered:
            return self.whole
        said = [page for page in self.pages if page.text]
        if len(self.pages) == 1:
            return self.pages[0].text
        return "\n\n".join(f"Page {page.number}:\n{page.text}" for page in said)

    @cached_property
    def tables(self) -> tuple[tuple[int, Table], ...]:
        """All tables, each with the number of the page where it begins."""
        joined = tables.continued([page.tables for page in self.pages])
        numbers = (page.number for page in self.pages)
        return tuple((n, table) for n, found in zip(numbers, joined, strict=True) for table in found)

    @property
    def scans(self) -> tuple[int, ...]:
        """The pages that carry no text of their own."""
        return tuple(page.number for page in self.pages if page.is_scan)

    @property
    def words(self) -> int:
        """How many words were read."""
        return sum(len(line.text.split()) for page in self.pages for line in page.lines)

    @property
    def searched(self) -> str:
        """Name what was searched: `12 pages`, `page 3`, `the text`."""
        if not self.numbered:
            return "the text"
        unread = frozenset(self.unread)
        read = [page.number for page in self.pages if page.number not in unread]
        if len(read) == self.total and self.total > 1:
            return f"{self.total} pages"
        return listed(read) if read else "no page"

    @property
    def where(self) -> str:
        """Say where something was searched: `in 12 pages`, `on page 3`, `in the text`."""
        return f"{'on' if self.searched.startswith('page') else 'in'} {self.searched}"

    @property
    def remark(self) -> str:
        """Say what was left out."""
        if not self.unread:
            return ""
        are = "is a scan and was" if len(self.unread) == 1 else "are scans and were"
        return f"{listed(self.unread).capitalize()} {are} not read."


class Shelf(AsyncLRU[Key, Reading]):
    """What was read of documents, remembered up to so many characters."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        super().__init__(most, _weight)


def _weight(found: Reading) -> int:
    return 1 + len(found.whole) + sum(len(line.text) for page in found.pages for line in page.lines)


async def of_file(file: TextFile, shelf: Shelf) -> Reading:
    """Read a text file."""
    return await shelf.get_or_compute(
        (file.digest, file.mime_type), lambda: asyncio.to_thread(_of_file, file)
    )


def _of_file(file: TextFile) -> Reading:
    found = written.read(file)
    return Reading(found.sheets, 1, (), False, found.form, found.text, found.title)


async def own_texts(document: Document, which: Sequence[int] | None, shelf: Shelf) -> Reading:
    """Read the text that pages carry; of all pages where none are named."""

    async def find_out() -> Reading:
        pages = tuple([page async for page in _pages(document, which)])
        return Reading(pages, document.pages, tuple(page.number for page in pages if page.is_scan))

    return await shelf.get_or_compute((document.digest, None if which is None else tuple(which)), find_out)


async def with_scans(
    reading: Reading, document: Document, look: LookAtImage, shelf: Shelf, enough: Callable[[Page], bool]
) -> Reading:
    """Read the scans too, one by one, until one has enough or there were very many."""
    found: dict[int, Page] = {}
    for number in reading.unread[:MOST_SCANS]:
        one = await shelf.get_or_compute((document.digest, number), partial(_scan, document, number, look))
        (found[number],) = one.pages
        if await asyncio.to_thread(enough, found[number]):
            break
    pages = tuple(found.get(page.number, page) for page in reading.pages)
    return replace(reading, pages=pages, unread=tuple(n for n in reading.unread if n not in found))


async def pictures(
    document: Document, which: Sequence[int], wanted: frozenset[FactName], look: LookAtImage
) -> list[tuple[int, Facts]]:
    """Look at the pictures of pages, one at a time."""
    async with aclosing(document.images(which)) as images:
        return [(page.number, await look(page.image, wanted)) async for page in images]


async def _pages(document: Document, which: Sequence[int] | None) -> AsyncGenerator[Page, None]:
    async with aclosing(document.texts(which)) as texts:
        async for text in texts:
            yield page_of(text)
            # Hundreds of pages come at once; others have their turn between them.
            await asyncio.sleep(0)


async def _scan(document: Document, number: int, look: LookAtImage) -> Reading:
    ((_, facts),) = await pictures(document, [number], _TEXT, look)
    return Reading((scanned(number, facts),), document.pages)
