"""What a document is about in its own words: title, headings, the sentences that say most."""

from __future__ import annotations

import re

from .. import answers, sentences
from ..asked import Asked
from ..evidence import Answer
from ..wording import listing, plural, tokens
from . import lookup, paging, retrieval
from . import summary as summaries
from .pages import Passage
from .reading import Reading
from .told import READING_WORDS, Told, at, first_sentence, plain, subject

_MOST_HEADINGS = 20
_SUMMARY_SENTENCES = 5
PART = re.compile(r"\b(?:about|regarding|concerning|with respect to|as to)\b(.*)")
_DESCRIBING = frozenset(("this", "it", "that", "them", "these"))
_OUTLINE_WORDS = frozenset(
    ("headings", "sections", "section", "chapters", "outline", "table", "toc", "heading", "main", "different")
)


def summary(asked: Asked, found: Reading) -> Told:
    """Tell what a document is about in its own sentences."""
    limit = f" {answers.refuse(asked.intent).text}" if asked.intent.topic else ""
    part = PART.search(first_sentence(asked).lower())
    if part and not set(tokens(part[1])) <= _DESCRIBING | {
        "document",
        "pdf",
        "file",
        "text",
        "page",
        "report",
    }:
        about = retrieval.search(retrieval.query(paging.without_pages(part[1])), found.pages)
        if about:
            quotes = [f"- “{one.text}”{at(found, one.passage.page)}" for one in about]
            pages = tuple(sorted({one.passage.page for one in about}))
            return Told(Answer("\n".join(quotes) + limit, strings=tuple(x.text for x in about)), pages)
    parts = [about_document(found), _heading_list(found), _key_sentences(found)]
    remark = f"The summary is made of the document's own words. {sentences.WAY_OUT} {found.remark}".strip()
    said = "\n\n".join(part for part in parts if part)
    return Told(Answer(said + limit, remark=remark), tuple(page.number for page in found.pages))


def about_document(found: Reading) -> str:
    """Say in a sentence what a document is: title, kind, pages, words, scans."""
    name = f"“{found.title}”: " if found.title else ""
    said = f"{name}{found.form}"
    if found.numbered:
        said += f" of {plural(found.total, 'page')}"
    if found.numbered and len(found.pages) < found.total:
        said += f", of which {paging.listed([page.number for page in found.pages])}"
        said += " was read" if len(found.pages) == 1 else " were read"
    said += f", {plural(found.words, 'word')}"
    for table in found.pages[0].given[:1] if found.pages and not found.numbered else ():
        shape = lookup.shape(table)
        said += f", {plural(shape['row'], 'row')} with the columns {listing(table.rows[0])}"
    if found.scans:
        one = len(found.scans) == 1
        said += f"; {paging.listed(found.scans)} {'is a scan' if one else 'are scans'}"
    return f"{said[0].upper()}{said[1:]}."


def key_sentences(found: Reading, most: int = _SUMMARY_SENTENCES) -> list[Passage]:
    """Choose the sentences that say most."""
    return summaries.sentences(found.pages, most)


def _heading_list(found: Reading) -> str:
    listed = _listed_headings(found, _MOST_HEADINGS)
    return f"Headings:\n{listed}" if listed else ""


def _listed_headings(found: Reading, most: int | None) -> str:
    headings = [(heading, page.number) for page in found.pages for heading in page.headings]
    headings = [pair for pair in dict.fromkeys(headings) if most is None or pair[0] not in found.title]
    more = [f"- and {len(headings) - most} more"] if most is not None and len(headings) > most else []
    return "\n".join([*(f"- {heading}{at(found, page)}" for heading, page in headings[:most]), *more])


def _key_sentences(found: Reading) -> str:
    chosen = key_sentences(found)
    if not chosen:
        return ""
    said = "\n".join(f"- “{passage.text}”{at(found, passage.page)}" for passage in chosen)
    return f"In its own words:\n{said}"


def title(asked: Asked, found: Reading) -> Told | None:
    """Give the title, where that is all that is asked for."""
    if not found.title or not re.fullmatch(r"\W*what(?:'s| is) (?:the|its) title\b.*", plain(asked)):
        return None
    return Told(Answer(found.title, strings=(found.title,)), tuple(page.number for page in found.pages[:1]))


def outline(asked: Asked, found: Reading) -> Told | None:
    """List the headings, where that is all that is asked for."""
    asks = re.search(r"\b(?:headings|sections|chapters|outline|table of contents|toc)\b", plain(asked))
    others = [word for word in subject(asked) if word not in READING_WORDS | _OUTLINE_WORDS]
    if not asks or others or asked.intent.name not in ("ask", "read", "table"):
        return None
    said = [heading for page in found.pages for heading in page.headings]
    if not said:
        return Told(Answer(f"No heading was found {found.where}.", truth=False, strings=()))
    return Told(Answer(_listed_headings(found, None), strings=tuple(said)))


def kind(_asked: Asked, found: Reading) -> Told | None:
    """Say what sort of document this is."""
    return Told(Answer(about_document(found), strings=(found.form,)))
