"""Where something stands in a document, whether it does, and how often."""

from __future__ import annotations

import re
from dataclasses import replace

from ..asked import Asked
from ..evidence import Answer
from ..wording import plural, shortened, tokens
from . import paging, retrieval
from .reading import Reading
from .told import Told, at, first_sentence, plain

_MOST_PLACES = 3
_TIMES = re.compile(r"\bhow (?:many times|often)\b|\b(?:occurrences?|mentions) of\b")
_MENTION = re.compile(
    r"^\W*(?:does|do|is|are|can|has|have|did)\b.*\b(?:mention|contain|include|discuss|refer|talk about|cover"
    r"|say (?:any|some)thing|have|say|state|there|appear)"
)
_MENTIONED = re.compile(
    r"^\W*(?:is|are|was|were) (?!there\b).+\b(?:mentioned|included|discussed|covered|listed)\b"
)
_STANDS = re.compile(
    r"\b(?:mention|appear|occur|find|found|stand|written|printed|text|heading|table|page|discuss)"
)
_OCCURRENCE = """
occur occurs occurring appear appears word words term terms phrase times often does do did is are was the a an
in of on this document text file pdf it how many where what which there mention mentions mentioned
"""
_OCCURRING = frozenset(_OCCURRENCE.split())


def which_page(asked: Asked, found: Reading) -> Told | None:
    """List the pages that something is on."""
    if not found.numbered or not paging.WHICH_PAGE.search(plain(asked)):
        return None
    if "tables" in asked.intent.targets and not asked.intent.quoted and not asked.intent.strangers:
        return _tables_at(found)
    return _places(asked, found)


def asks_for_places(asked: Asked) -> bool:
    """Tell whether all places of something are asked for."""
    return bool(paging.WHICH_PAGE.search(plain(asked)) or _TIMES.search(plain(asked)))


def times(asked: Asked, found: Reading) -> Told | None:
    """Count how often words occur."""
    phrase = _phrase(asked, _TIMES)
    if not phrase or not _TIMES.search(plain(asked)):
        return None
    counts = retrieval.occurrences(phrase, found.pages)
    total = sum(counts.values())
    if not total:
        return Told(Answer(f"“{phrase}” was not found {found.where}.", number=0, truth=False))
    said = f"“{phrase}” stands {plural(total, 'time')} {'in the text' if not found.numbered else ''}".strip()
    return Told(Answer(f"{said}{at(found, *counts)}.", number=total, truth=True), tuple(counts))


def mentions(asked: Asked, found: Reading) -> Told | None:
    """Say whether something is written, and where."""
    asks = plain(asked)
    if not (asked.intent.name == "presence" or _MENTION.search(asks) or _MENTIONED.search(asks)):
        return None
    about_tables = "tables" in asked.intent.targets and not asked.intent.quoted and not asked.intent.strangers
    told = _tables_at(found) if about_tables else _places(asked, found)
    if told is None:
        return None
    lead = "Yes" if told.answer.truth else "No"
    said = told.answer.text[0].lower() + told.answer.text[1:]
    return replace(told, answer=replace(told.answer, text=f"{lead}: {said}", strings=None))


def located(asked: Asked, found: Reading) -> Told | None:
    """Answer `where` by the place in the document, if that is meant."""
    if asked.intent.quoted or _STANDS.search(plain(asked)):
        return _places(asked, found)
    return None


def standing(asked: Asked, found: Reading) -> Told | None:
    """Give the place in the document of what nothing else is written about."""
    told = _places(asked, found)
    return told if told is not None and told.answer.truth else None


def _places(asked: Asked, found: Reading) -> Told | None:
    """List the pages with the very words, else those of the passages that have all of them."""
    phrase = _phrase(asked)
    if not phrase:
        return None
    pages = tuple(retrieval.occurrences(phrase, found.pages))
    quotes = _quotes_of(phrase, found)
    if not pages and not asked.intent.quoted:
        passages = retrieval.search(retrieval.query(phrase), found.pages)
        pages = tuple(sorted({one.passage.page for one in passages}))
        quotes = [one.text for one in passages]
    if not pages:
        said = f"“{phrase}” was not found {found.where}. {found.remark}".strip()
        return Told(Answer(said, truth=False, number=0, strings=()))
    quote = shortened(quotes[0], 200) if quotes else ""
    shown = f" First: “{quote}”" if quote else ""
    where = f"on {paging.listed(pages)}" if found.numbered else "in the text"
    said = f"“{phrase}” is {where}.{shown}"
    strings = tuple(str(page) for page in pages) if found.numbered else tuple(quotes[:_MOST_PLACES])
    number = pages[0] if found.numbered else None
    return Told(Answer(said, truth=True, number=number, strings=strings), pages, quote)


def _tables_at(found: Reading) -> Told:
    pages = tuple(dict.fromkeys(page for page, _ in found.tables))
    if not pages:
        return Told(Answer(f"No table was found {found.where}.", truth=False, number=0))
    count = plural(len(found.tables), "table")
    said = f"{count} {'was' if len(found.tables) == 1 else 'were'} found{at(found, *pages)}."
    return Told(Answer(said, truth=True, number=len(found.tables), strings=tuple(map(str, pages))), pages)


def _quotes_of(phrase: str, found: Reading) -> list[str]:
    wanted = " ".join(phrase.lower().split())
    return [
        passage.text
        for page in found.pages
        if wanted in page.lower
        for passage in page.passages
        if wanted in passage.text.lower()
    ][:_MOST_PLACES]


def _phrase(asked: Asked, *patterns: re.Pattern[str]) -> str:
    """The words that are looked for: those in quotes, else all that are left of the question."""
    if asked.intent.quoted:
        return asked.intent.quoted
    sentence = paging.without_pages(first_sentence(asked))
    for pattern in (paging.WHICH_PAGE, *patterns):
        sentence = re.sub(pattern.pattern, " ", sentence, flags=re.IGNORECASE)
    words = [word.strip(".,:;?!\"'()") for word in sentence.split()]
    known = frozenset(retrieval.content_words(sentence.lower()))
    kept = [word for word in words if frozenset(tokens(word)) & known and word.lower() not in _OCCURRING]
    # What is a filler in most questions may be the very word that is looked for.
    return " ".join(kept or [word for word in words if word.lower() not in _OCCURRING])
