"""Answers from the text of pages: one function for each thing that people ask of a document.

Whatever is said comes from the pages, word for word, with the number of the page it stands on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from .. import answers, patterns, sentences, values
from ..asked import Asked
from ..evidence import Answer
from ..intents import COLOUR_WORDS
from ..labels import find_first
from ..patterns import IntentName
from ..wording import listing, plural, shortened
from . import lookup, overview, paging, retrieval, whereabouts
from .reading import Reading
from .told import READING_WORDS, Teller, Told, at, first_sentence, plain, subject

_LONGEST_VALUE_WORDS = 12
_MOST_LABEL_WORDS = 5

_NEVER = frozenset(("stories, quizzes and other new texts", "translations"))
_OPINION = re.compile(
    r"\b(?:should (?:i|we)|your opinion|do you think|do you (?:like|recommend)|would you|funny|is it safe"
    r"|what (?:would|will|might) happen|predict)\b"
)
_SHOWN = "|".join(patterns.TARGETS.values()) + (
    r"|many|much|number|count|picture|image|photo|scan|decode|axis|axes|bar|qr|quality|blurry|blurred|sharp|focus"
    r"|main|dominant|kind|type|there|detect|find|locate|box|boxes|bounding|visible|shown|\d+"
)
"""Words of questions about what a page shows."""
_PAGES_THEMSELVES = READING_WORDS | {"what's", "what’s", "contents", "there's", "go", "turn", "open"}
_STANDS_THERE = re.compile(r"\bwhat\b.*\bpages?\b")
_NOUNS: Mapping[str, str] = {
    "word": r"\bwords\b",
    "line": r"\blines\b",
    "letter": r"\b(?:letters|characters)\b",
    "heading": r"\b(?:headings|headlines|sections|chapters)\b",
    "table": r"\btables\b",
    "row": r"\b(?:rows|records|entries|lines)\b",
    "column": r"\b(?:columns|fields|headers)\b",
}


def tell(asked: Asked, found: Reading) -> Told:
    """Answer a question from what was read."""
    for teller in (*_FIRST, *_TELLERS.get(asked.intent.name, ()), _passages):
        if (told := teller(asked, found)) is not None:
            return told
    return Told(_nothing(asked, found))


def asks_for_page_count(asked: Asked) -> bool:
    """Tell a question that needs no page to be read."""
    return bool(paging.PAGE_COUNT.search(plain(asked)))


def stops_early(asked: Asked) -> bool:
    """Tell whether the first page that answers will do, so that no other needs to be read."""
    whole = asked.intent.name in ("read", "caption", "count", "table", "locate", "presence", "detect")
    return not whole and not whereabouts.asks_for_places(asked) and not _is_about_pages(asked)


def asks_for_more(asked: Asked) -> bool:
    """Tell whether a question names more than what pictures show to this engine."""
    return any(not re.fullmatch(_SHOWN, word) and word not in COLOUR_WORDS for word in subject(asked))


def _nothing(asked: Asked, found: Reading) -> Answer:
    """Say that the pages do not tell, and what was searched."""
    refused = answers.refuse(asked.intent)
    searched = f"Searched: {found.searched}." if found.pages else ""
    unread = f" {found.remark}" if found.unread else ""
    return Answer(f"{refused.text} {searched}{unread}".strip(), known=False)


def _refused(asked: Asked, _found: Reading) -> Told | None:
    """Refuse what no text can tell; what people do, feel or wear may well be written down."""
    if asked.intent.topic in _NEVER and asked.intent.name == "refuse":
        return Told(answers.refuse(asked.intent))
    if asked.intent.name == "refuse" and _OPINION.search(plain(asked)):
        return Told(answers.refuse(asked.intent))
    return None


def _page_count(asked: Asked, found: Reading) -> Told | None:
    if not asks_for_page_count(asked):
        return None
    if not found.numbered:
        said = f"This is {found.form}; it has no pages. It holds {plural(found.words, 'word')}."
        return Told(Answer(said, known=False))
    return Told(Answer(f"The document has {plural(found.total, 'page')}.", number=found.total))


def _is_about_pages(asked: Asked) -> bool:
    """Tell a question about pages themselves: `what is on page 3`."""
    if paging.named(asked.question, 1) is None or not set(subject(asked)) <= _PAGES_THEMSELVES:
        return False
    return asked.intent.name == "ask" or (
        asked.intent.name == "caption" and bool(_STANDS_THERE.search(plain(asked)))
    )


def _pages_themselves(asked: Asked, found: Reading) -> Told | None:
    if not found.numbered or not _is_about_pages(asked):
        return None
    sums_up = re.search(r"(?<!what )\babout\b", plain(asked))
    return overview.summary(asked, found) if sums_up else _text_of(found)


def _whole_text(asked: Asked, found: Reading) -> Told | None:
    """Give the text as it is, unless the question is about something in it."""
    if any(word not in READING_WORDS and not word.isdecimal() for word in subject(asked)):
        told = _passages(asked, found)
        if told is not None or overview.PART.search(first_sentence(asked).lower()):
            return told
    return _text_of(found)


def _text_of(found: Reading) -> Told:
    text = found.text
    if not text.strip():
        said = f"No readable text was found {found.where}. {found.remark}".strip()
        return Told(Answer(said, truth=False, strings=()))
    strings = tuple(page.text for page in found.pages if page.text) if found.numbered else (text,)
    answer = Answer(text, truth=True, strings=strings, remark=found.remark)
    return Told(answer, tuple(page.number for page in found.pages))


def _table(asked: Asked, found: Reading) -> Told | None:
    """Write out the tables; a question about a value in one is answered by that value."""
    told = _cell(asked, found) or _figure(asked, found)
    if told is not None:
        return told
    if not found.tables:
        return _passages(asked, found) or Told(Answer(f"No table was found {found.where}.", truth=False))
    said = [
        f"{f'Page {page}:{chr(10)}' if found.numbered and found.total > 1 else ''}{sentences.table(table)}"
        for page, table in found.tables
    ]
    return Told(Answer("\n\n".join(said)), tuple(dict.fromkeys(page for page, _ in found.tables)))


def _count(asked: Asked, found: Reading) -> Told | None:
    """Count what a text is made of; a number of anything else may be written in it."""
    noun = next((n for n, pattern in _counted(found) if re.search(pattern, plain(asked))), None)
    others = [word for word in subject(asked) if not any(re.fullmatch(p, word) for p in _NOUNS.values())]
    others = [word for word in others if word not in READING_WORDS | {"many", "number", "count", "csv"}]
    if noun is None or others:
        return None
    counts: Mapping[str, Callable[[], int]] = {
        "word": lambda: found.words,
        "line": lambda: sum(len(page.lines) for page in found.pages),
        "letter": lambda: sum(len(x.text.replace(" ", "")) for page in found.pages for x in page.lines),
        "heading": lambda: len({heading for page in found.pages for heading in page.headings}),
        "table": lambda: len(found.tables),
        "row": lambda: sum(lookup.shape(table)["row"] for _, table in found.tables),
        "column": lambda: max((lookup.shape(table)["column"] for _, table in found.tables), default=0),
    }
    number = counts[noun]()
    said = f"The {'text' if not found.numbered else 'document'} has {plural(number, noun)}"
    where = "" if len(found.pages) == found.total or not found.numbered else f" {found.where}"
    return Told(Answer(f"{said}{where}.", number=number, remark=found.remark))


def _counted(found: Reading) -> list[tuple[str, str]]:
    rows_first = any(page.given for page in found.pages)
    order = ("row", "column") if rows_first else ()
    return [*((noun, _NOUNS[noun]) for noun in order), *_NOUNS.items()]


def _labelled(asked: Asked, found: Reading) -> Told | None:
    """Give what stands beside a label of that name."""
    words = subject(asked)
    if not 0 < len(words) <= _MOST_LABEL_WORDS:
        return None

    def read(said: str) -> str | None:
        return said if len(said.split()) <= _LONGEST_VALUE_WORDS else None

    value = find_first([page.labels for page in found.pages], [" ".join(words)], read)
    if value is None:
        return None
    page = found.pages[value.index].number
    answer = Answer(
        f"{value.value}{at(found, page)}", number=values.number(value.value), strings=(value.value,)
    )
    return Told(answer, (page,), value.value, (f"label “{' '.join(words)}”{at(found, page)}",))


def _cell(asked: Asked, found: Reading) -> Told | None:
    """Give the value where a row and a column of a table meet."""
    needed = retrieval.query(paging.without_pages(first_sentence(asked))).needed
    for number, table in found.tables:
        cell = lookup.cell(needed, table)
        if cell is not None:
            where = f"{cell.column}, {cell.row}"
            number = _page_of_row(cell, number, found)
            said = f"{cell.value} ({where}{f', page {number}' if found.numbered else ''})"
            answer = Answer(said, number=values.number(cell.value), strings=(cell.value,))
            return Told(answer, (number,), cell.value, (f"table: {where}",))
    return None


def _page_of_row(cell: lookup.Cell, begins: int, found: Reading) -> int:
    """Find the page a row stands on: a table may go on over the next ones."""
    said = (cell.row.lower(), cell.value.lower())
    later = (page for page in found.pages if page.number >= begins)
    return next((page.number for page in later if all(text in page.lower for text in said)), begins)


def _figure(asked: Asked, found: Reading) -> Told | None:
    """Reckon with the column of a file that is a table."""
    for table in (table for page in found.pages for table in page.given):
        if (reckoned := lookup.figure(first_sentence(asked), table)) is not None:
            said, number = reckoned
            return Told(Answer(said, number=number))
    return None


def _columns(asked: Asked, found: Reading) -> Told | None:
    given = [table for page in found.pages for table in page.given]
    if not given or not re.search(r"\b(?:columns|fields|headers)\b", plain(asked)) or "many" in plain(asked):
        return None
    names = given[0].rows[0]
    return Told(Answer(f"The columns are {listing(names)}.", strings=names, number=len(names)))


def _passages(asked: Asked, found: Reading) -> Told | None:
    """Quote the passages that have most of the words of a question."""
    question = paging.without_pages(first_sentence(asked).lower())
    needed = retrieval.query(question).needed
    rows = [r for page in found.pages for table in page.given for r in lookup.rows_with(needed, table)]
    if rows:
        return Told(Answer("\n".join(rows), strings=tuple(rows)), (), rows[0])
    best = retrieval.search(retrieval.query(question), found.pages)
    if not best:
        return None
    said = "\n".join(f"“{one.text}”{at(found, one.passage.page)}" for one in best)
    pages = tuple(dict.fromkeys(one.passage.page for one in best))
    weighed = tuple(
        f"“{shortened(one.text, 60)}”{at(found, one.passage.page)} has {one.share:.0%} of what was asked"
        for one in best
    )
    number = values.number(best[0].text) if re.search(r"\bhow (?:many|much)\b", question) else None
    return Told(
        Answer(said, number=number, strings=tuple(x.text for x in best)), pages, best[0].text, weighed
    )


def _difference(asked: Asked, found: Reading) -> Told | None:
    told = _passages(asked, found)
    return told or Told(
        Answer("Two documents are not compared; there is no model here that could.", known=False)
    )


_FIRST: tuple[Teller, ...] = (
    _refused,
    _page_count,
    _pages_themselves,
    whereabouts.which_page,
    whereabouts.times,
    _columns,
    overview.title,
    overview.outline,
)
_VALUES: tuple[Teller, ...] = (_cell, _labelled, _figure)
_TELLERS: Mapping[IntentName, Sequence[Teller]] = {
    "ask": (whereabouts.mentions, *_VALUES),
    "caption": (overview.summary,),
    "count": (_count, *_VALUES),
    "difference": (_difference,),
    "kind": (overview.kind,),
    "locate": (whereabouts.located, _passages, whereabouts.standing),
    "presence": (whereabouts.mentions,),
    "read": (_whole_text,),
    "refuse": _VALUES,
    "size": (*_VALUES, _passages, overview.kind),
    "table": (_table,),
}
