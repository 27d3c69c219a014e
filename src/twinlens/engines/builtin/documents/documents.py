"""Answers about PDFs and text files: what they say, where they say it, and what can be seen on a page.

A page is looked at as a picture only where it is a scan, or where the question is about what only a
picture shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ....domain.engine_media import Document, TextFile
from .. import answers, detect, intents
from ..asked import Asked, LookAtImage
from ..evidence import Answer, Evidence, Item
from ..facts import FactName, Facts
from ..intents import Intent
from ..pictures import NO_MASKS
from . import paged, paging, reading, schema_values
from .pages import Page
from .reading import Reading, Shelf
from .told import Told

_MOST_SEEN = 20
"""So many pages are looked at where a question about what they show names none."""

_SEEN: frozenset[FactName] = frozenset(("faces", "codes", "colours", "charts"))
_ABOUT_PLACES = frozenset(("detect", "count", "presence", "locate"))
_SEEN_INTENTS: Mapping[str, frozenset[FactName]] = {
    "codes": frozenset({"codes"}),
    "colours": frozenset({"colours"}),
    "chart": frozenset(("charts", "text")),
    "quality": frozenset({"quality"}),
}


async def study(document: Document | TextFile, asked: Asked, look: LookAtImage, shelf: Shelf) -> Evidence:
    """Read what a question needs of a document, and answer it. The shelf remembers what was read."""
    if isinstance(document, TextFile):
        return await _of_file(document, asked, shelf)
    named = paging.named(asked.question, document.pages)
    if named is not None and not named.pages:
        return Evidence(asked.intent, (), _no_such_page(named.missing, document.pages))
    which = None if named is None else named.pages
    if wanted := _to_be_seen(asked.intent):
        return await _written_or_seen(document, which, asked, wanted, look, shelf)
    if paged.asks_for_page_count(asked) and asked.output.mime_type == "text/plain":
        return _evidence(asked, Reading((), document.pages))
    return await _read(document, which, asked, look, shelf)


async def _read(
    document: Document, which: Sequence[int] | None, asked: Asked, look: LookAtImage, shelf: Shelf
) -> Evidence:
    """Answer from the pages' own text; the scans are read where that does not do."""
    found = await reading.own_texts(document, which, shelf)
    if not found.unread:
        return await asyncio.to_thread(_evidence, asked, found)
    stops = asked.output.mime_type == "text/plain" and paged.stops_early(asked)
    if stops:
        evidence = await asyncio.to_thread(_evidence, asked, found)
        if evidence.answer.known:
            return evidence

    def enough(page: Page) -> bool:
        return stops and paged.tell(asked, replace(found, pages=(page,), unread=())).answer.known

    found = await reading.with_scans(found, document, look, shelf, enough)
    return await asyncio.to_thread(_evidence, asked, found)


async def _of_file(file: TextFile, asked: Asked, shelf: Shelf) -> Evidence:
    found = await reading.of_file(file, shelf)
    return await asyncio.to_thread(_evidence, asked, found)


def _evidence(asked: Asked, found: Reading) -> Evidence:
    """Answer from what was read."""
    as_json = asked.output.mime_type == "application/json"
    each = schema_values.facts_of(found) if as_json else tuple(page.facts() for page in found.pages)
    if asked.intent.name == "segment":
        return Evidence(asked.intent, each, Answer(NO_MASKS, known=False), ())
    if asked.intent.name == "detect":
        return _placed(asked, found) if found.numbered else _without_places(asked, each)
    told = paged.tell(asked, found)
    answer = told.answer
    if found.remark and not answer.remark:
        answer = replace(answer, remark=found.remark)
    return Evidence(
        asked.intent,
        each,
        answer,
        _all_places(found) if asked.output.schema and found.numbered else None,
        schema_values.named(found, told, asked.output.schema) if as_json else (),
        _weighed(found, told),
    )


def _without_places(asked: Asked, facts: tuple[Facts, ...]) -> Evidence:
    said = Answer("A text file shows nothing that a box could be drawn round; no item is given.", known=False)
    return Evidence(asked.intent, facts, said, ())


def _placed(asked: Asked, found: Reading) -> Evidence:
    """Find the places of text and tables that a question asks for."""
    intent = asked.intent
    facts = tuple(page.facts(with_tables=True) for page in found.pages)
    if not detect.is_known(intent):
        return Evidence(intent, facts, answers.refuse(intent), ())
    each = list(zip((page.number for page in found.pages), facts, strict=True))
    return _with_items(intent, each, found.remark)


def _with_items(intent: Intent, each: Sequence[tuple[int, Facts]], remark: str) -> Evidence:
    items = _items(intent, each)
    said = Answer(f"Found {detect.summary(items)}.", number=len(items), remark=remark)
    return Evidence(intent, tuple(facts for _, facts in each), said, items)


def _items(intent: Intent, each: Sequence[tuple[int, Facts]]) -> tuple[Item, ...]:
    return tuple(replace(item, page=page) for page, facts in each for item in detect.find(intent, facts))


def _all_places(found: Reading) -> tuple[Item, ...]:
    """Give the places of everything, for a schema with boxes."""
    everything = intents.read("detect everything")
    return _items(everything, [(page.number, page.facts()) for page in found.pages])


def _to_be_seen(intent: Intent) -> frozenset[FactName]:
    """Name the facts that pages have to be looked at for; none where their text is what matters."""
    if intent.name in _ABOUT_PLACES:
        wanted = set(intent.targets & _SEEN)
        wanted |= {"colours"} if intent.colours else set()
        wanted |= {"text"} if "charts" in wanted else set()
        return frozenset(wanted)
    return _SEEN_INTENTS.get(intent.name, frozenset())


async def _written_or_seen(
    document: Document,
    which: Sequence[int] | None,
    asked: Asked,
    wanted: frozenset[FactName],
    look: LookAtImage,
    shelf: Shelf,
) -> Evidence:
    """Look at pages, unless the text has what is asked beside faces and colours: `how many people work`."""
    if asked.intent.name != "detect" and paged.asks_for_more(asked):
        found = await reading.own_texts(document, which, shelf)
        evidence = await asyncio.to_thread(_evidence, asked, found)
        if evidence.answer.known and evidence.answer.truth is not False:
            return evidence
    return await _seen(document, which, asked, wanted, look)


async def _seen(
    document: Document,
    which: Sequence[int] | None,
    asked: Asked,
    wanted: frozenset[FactName],
    look: LookAtImage,
) -> Evidence:
    """Answer from the pictures of pages."""
    pages = tuple(which or range(1, document.pages + 1))[:_MOST_SEEN]
    each = await reading.pictures(document, pages, wanted, look)
    left = len(which or range(document.pages)) - len(pages)
    remark = f"{paging.listed(pages).capitalize()} of {document.pages} were looked at." if left else ""
    if asked.intent.name == "detect":
        return _with_items(asked.intent, each, remark)
    answer = _of_pictures(asked.intent, each)
    if remark:
        answer = replace(answer, text=f"{answer.text} {remark}", remark=remark)
    weighed = f"{paging.listed(pages).capitalize()} were looked at as pictures."
    return Evidence(asked.intent, tuple(facts for _, facts in each), answer, thoughts=weighed)


def _of_pictures(intent: Intent, each: Sequence[tuple[int, Facts]]) -> Answer:
    """Answer for the pages that show something of what was asked; else once for all."""
    said = [(page, answers.answer(intent, facts)) for page, facts in each]
    if len(said) == 1:
        return said[0][1]
    showing = [(page, x) for page, x in said if x.known and x.truth is not False and x.number != 0]
    if intent.name == "chart":
        showing = [(page, x) for page, x in showing if x.strings]
    if not showing:
        return said[0][1]
    numbers = [x.number for _, x in showing if x.number is not None]
    return Answer(
        "\n".join(f"Page {page}:{chr(10) if chr(10) in x.text else ' '}{x.text}" for page, x in showing),
        truth=True if any(x.truth for _, x in showing) else None,
        number=sum(numbers) if numbers else None,
        strings=tuple(string for _, x in showing for string in x.strings or ()),
    )


def _no_such_page(missing: Sequence[int], count: int) -> Answer:
    has = f"{count} page{'' if count == 1 else 's'}"
    return Answer(f"The document has {has}; there is no {paging.listed(list(missing))}.", known=False)


def _weighed(found: Reading, told: Told) -> str:
    """List what was read, and the passages that were taken."""
    read = len(found.pages) - len(found.unread)
    lines = [f"{found.form[0].upper()}{found.form[1:]}, {found.words} words read."]
    if found.numbered:
        lines = [f"{found.form[0].upper()}{found.form[1:]}, {read} of {found.total} pages read:"]
        lines += [f"- scans: {paging.listed(found.scans)}"] if found.scans else []
        lines += [f"- not read: {paging.listed(found.unread)}"] if found.unread else []
    return "\n".join([*lines, *(f"- {weighed}" for weighed in told.weighed)])
