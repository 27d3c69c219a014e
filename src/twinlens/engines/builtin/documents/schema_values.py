"""What a document has to say to the names of a schema, beside its labels and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ....domain.media import Json
from .. import tables
from ..evidence import Named
from ..facts import Facts
from ..wording import tokens
from . import overview
from .reading import Reading
from .told import Told

_COUNT = frozenset(
    ("pagecount", "pages", "numpages", "numberofpages", "totalpages", "countofpages", "pagetotal")
)
_PAGE = frozenset(("page", "pagenumber", "pageno"))
_SUMMARY = frozenset(("summary", "caption", "overview", "abstract", "synopsis", "gist", "tldr"))
_POINTS = frozenset(("point", "takeaway", "highlight", "keypoint", "finding"))
_QUOTE = frozenset(("quote", "passage", "excerpt", "evidence", "citation", "snippet", "source"))
_TEXT = frozenset(("text", "content", "fulltext", "transcript", "transcription", "ocr", "body"))
_HEADING = frozenset(("heading", "section", "chapter", "headline", "outline", "toc"))


def facts_of(found: Reading) -> tuple[Facts, ...]:
    """Give the pages as facts, their tables with what stands on the next page."""
    joined = tables.continued([page.tables for page in found.pages])
    return tuple(
        replace(page.facts(), tables=tuple(rows)) for page, rows in zip(found.pages, joined, strict=True)
    )


def named(found: Reading, told: Told, schema: Json) -> tuple[Named, ...]:
    """Give what goes by the names of a schema; what takes long only where the schema speaks of it."""
    words = frozenset(tokens(str(schema))) if schema is not None else frozenset()
    known = [Named(frozenset(("width", "height")), None), *_whole(found, words), *_of_answer(told, found)]
    known += _page_records(found) if found.numbered and words & {"page", "pages"} else []
    return tuple(known)


def _whole(found: Reading, words: frozenset[str]) -> Iterator[Named]:
    if found.numbered:
        yield Named(_COUNT, found.total)
        yield Named(frozenset(("scan", "scanned")), bool(found.scans))
    yield Named(frozenset({"title"}), found.title or None)
    headings = [(heading, page.number) for page in found.pages for heading in page.headings]
    yield Named(_HEADING, [heading for heading, _ in headings])
    yield Named(
        _HEADING,
        [
            {"title": heading, "heading": heading, "name": heading, **_page(number)}
            for heading, number in headings
        ],
    )
    if words & {"text", "content", "transcript", "transcription", "ocr", "body", "fulltext"}:
        yield Named(_TEXT, found.text)
    if words & (_SUMMARY | _POINTS | {"points", "takeaways", "highlights", "findings", "description"}):
        yield from _summed_up(found)


def _summed_up(found: Reading) -> Iterator[Named]:
    chosen = overview.key_sentences(found)
    said = " ".join(passage.text for passage in chosen) or overview.about_document(found)
    yield Named(_SUMMARY, said)
    yield Named(frozenset({"description"}), overview.about_document(found))
    yield Named(_POINTS, [passage.text for passage in chosen])


def _of_answer(told: Told, found: Reading) -> Iterator[Named]:
    if told.quote:
        yield Named(_QUOTE, told.quote)
    if told.pages and told.answer.known and found.numbered:
        yield Named(_PAGE, told.pages[0])
        yield Named(_PAGE, list(told.pages))


def _page_records(found: Reading) -> list[Named]:
    records = [
        {
            **_page(page.number),
            **dict.fromkeys(("text", "content", "transcript", "body"), page.text),
            **dict.fromkeys(("title", "heading"), next(iter(page.headings), None)),
            **dict.fromkeys(("is_scan", "scanned"), page.is_scan),
            "lines": [line.text for line in page.lines],
        }
        for page in found.pages
    ]
    return [Named(_PAGE, records)]


def _page(number: int) -> Mapping[str, Json]:
    return dict.fromkeys(("page", "page_number", "number", "index"), number) if number else {}
