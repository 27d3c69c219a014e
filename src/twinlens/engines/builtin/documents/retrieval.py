"""The passages that answer a question, by the words they share with it: rare words weigh more.

It knows words and no meaning, so it quotes and never rephrases. Most of what is asked for must be there,
or nothing is found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..wording import FILLER, shortened, stems, tokens
from .pages import Page, Passage

_NEEDED = 0.5
"""The share of a question's weight that a passage must have."""
_NEEDED_OF_REASONS = 0.33
_AROUND = 0.5
"""What a word of the heading above counts against one of the passage."""
_ROOT = 4
"""So many letters of a word must be the same."""
_FITTING = 1.15
_OF_HEADING = 0.8
_ALSO = 0.9
_MOST_PASSAGES = 3
_MOST_FOLLOWING = 4
_LONGEST_QUOTE = 400
_STRETCH = 300
"""Of a longer passage that much is quoted, where most of the question is."""

_OF_DOCUMENTS = """
report paper article pdf document manual book contract file section chapter paragraph page mention mentioned
state stated describe described discuss discussed explain explained according author information detail
define defined given name called exact quote find answer question summarize extract key passage sentence part
talk refer stand work happen mean need
"""
_SAID_OF_DOCUMENTS = stems(_OF_DOCUMENTS.split())
"""Words that speak of a document rather than of what stands in it: they help where they are found."""

_WORD = re.compile(r"\S{1,100}")
_WHY = re.compile(r"\bwhy\b|\breasons?\b|\bcaused?\b")
_REASON = re.compile(
    r"\b(?:because|due to|owing to|as a result|result(?:ed|s)? (?:of|from)|caused by|since|thanks to)\b"
)
_HOW = re.compile(r"\bhow (?:long|old|large|big|high|far|tall|often|soon|fast|deep|wide|heavy|close)\b")
_FORMS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"\bhow (?:many|much|long|often|old|large|big|high|far|tall)\b"), re.compile(r"\d")),
    (re.compile(r"\b(?:when|what (?:date|year|day|time)|which (?:date|year|day))\b"), re.compile(r"\d")),
    (_WHY, _REASON),
    (re.compile(r"\bwho(?:m|se)?\b"), re.compile(r"\b[^\W\d_a-z]\w+ [^\W\d_a-z]\w+")),
)
"""How a question is put, and what an answer to it is likely to hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that answers, with what follows where it only leads on; how much of the question it has."""

    passage: Passage
    text: str
    share: float
    score: float


@dataclass(frozen=True, slots=True)
class Query:
    """The stems a question is about, those that only may be there, and the form of what is asked."""

    needed: frozenset[str]
    helpful: frozenset[str]
    form: re.Pattern[str] | None

    @property
    def stems(self) -> frozenset[str]:
        """All stems that are looked for."""
        return self.needed | self.helpful


def query(question: str) -> Query:
    """Read what a question is about."""
    found = stems(tokens(_HOW.sub(" ", question.lower())))
    helpful = found & _SAID_OF_DOCUMENTS
    asked = question.lower()
    form = next((answer for put, answer in _FORMS if put.search(asked)), None)
    return Query(frozenset(found - helpful), frozenset(helpful), form)


def search(asked: Query, pages: Sequence[Page]) -> list[Found]:
    """Find the best passages, the best first; none where too little of the question is there."""
    if not asked.needed:
        return []
    candidates = [
        (page, index, _shared(asked, stems(tokens(passage.text))))
        for page in pages
        if any(stem[:_ROOT] in page.lower for stem in asked.needed)
        for index, passage in enumerate(page.passages)
    ]
    weights = _weights(asked, candidates, pages)
    whole = sum(weights[stem] for stem in asked.needed)
    found = [
        scored
        for page, index, shared in candidates
        if shared and (scored := _scored(asked, page, index, shared, weights, whole)) is not None
    ]
    found.sort(key=lambda one: -one.score)
    return list(_best(found))


def occurrences(phrase: str, pages: Iterable[Page]) -> dict[int, int]:
    """Count how often words stand on each page, whatever their case and the line breaks within them."""
    words = phrase.lower().split()
    if not words:
        return {}
    pattern = re.compile(r"(?<!\w)" + r"\W?\s+".join(map(re.escape, words)) + r"(?!\w)")
    found: dict[int, int] = {}
    for page in pages:
        if words[0] in page.lower and (count := len(pattern.findall(page.lower))):
            found[page.number] = found.get(page.number, 0) + count
    return found


def content_words(question: str) -> list[str]:
    """Give the words of a question that name what it is about, in their order."""
    return [
        word for word in tokens(question) if word not in FILLER and not stems([word]) & _SAID_OF_DOCUMENTS
    ]


def _shared(asked: Query, said: set[str]) -> set[str]:
    """Find the stems of a question that a text has; `land` meets `landed`, which is one letter longer."""
    found = said & asked.stems
    for stem in asked.stems - found:
        if len(stem) >= _ROOT and any(_meet(stem, other) for other in said):
            found.add(stem)
    return found


def _meet(one: str, other: str) -> bool:
    return len(other) >= _ROOT and (one.startswith(other) or other.startswith(one))


def _weights(
    asked: Query, candidates: Sequence[tuple[Page, int, set[str]]], pages: Sequence[Page]
) -> dict[str, float]:
    """Weigh stems by how few passages have them; what stands nowhere weighs most."""
    spread = dict.fromkeys(asked.stems, 0)
    for _, _, shared in candidates:
        for stem in shared:
            spread[stem] += 1
    total = max(sum(len(page.passages) for page in {id(p): p for p, _, _ in candidates}.values()), 1)
    total = max(total, len(pages))
    weights = {stem: math.log(1 + total / (count or 0.5)) for stem, count in spread.items()}
    return {stem: weight * (0.3 if stem in asked.helpful else 1) for stem, weight in weights.items()}


def _scored(
    asked: Query, page: Page, index: int, shared: set[str], weights: dict[str, float], whole: float
) -> Found | None:
    passage = page.passages[index]
    above = _shared(asked, stems(tokens(passage.heading))) - shared if passage.heading else set()
    own = sum(weights[stem] for stem in shared & asked.needed)
    share = (own + _AROUND * sum(weights[stem] for stem in above & asked.needed)) / whole
    text = _led_on(asked, page, index)
    # A sentence that gives a reason may say `grew` of what the question calls growing.
    gives_reason = asked.form is _REASON and _REASON.search(text) is not None
    if not shared & asked.needed or share < (_NEEDED_OF_REASONS if gives_reason else _NEEDED):
        return None
    score = own + _AROUND * sum(weights[stem] for stem in above)
    score += sum(weights[stem] for stem in shared & asked.helpful)
    if asked.form and asked.form.search(text):
        score *= _FITTING
    if passage.is_heading:
        # What a heading brings along is long; a sentence that says as much is the better answer.
        score *= _OF_HEADING
    return Found(passage, text, share, score)


def _led_on(asked: Query, page: Page, index: int) -> str:
    """Add what follows a heading, or a sentence that ends in a colon."""
    passage = page.passages[index]
    if len(passage.text) > _LONGEST_QUOTE:
        return _stretch(asked, passage.text)
    if not (passage.is_heading or passage.text.endswith(":")):
        return passage.text
    following: list[str] = []
    for after in page.passages[index + 1 : index + 1 + _MOST_FOLLOWING]:
        if after.is_heading:
            break
        following.append(after.text)
    return " ".join([passage.text, *following]) if passage.text.endswith(":") else _under(passage, following)


def _stretch(asked: Query, text: str) -> str:
    """Cut the stretch out of a long passage that has most of the question's words."""
    hits = [
        (word.start(), stem)
        for word in _WORD.finditer(text)
        for stem in _shared(asked, stems(tokens(word[0])))
    ]
    best, most = 0, 0
    within: dict[str, int] = {}
    last = 0
    for first, (start, stem) in enumerate(hits):
        while last < len(hits) and hits[last][0] < start + _STRETCH:
            within[hits[last][1]] = within.get(hits[last][1], 0) + 1
            last += 1
        count = sum(1 for times in within.values() if times)
        if count > most:
            best, most = first, count
        within[stem] -= 1
    # A little of what stands before it is shown too.
    start = max(hits[best][0] - _STRETCH // 6, 0) if hits else 0
    start = text.find(" ", start, hits[best][0]) + 1 or hits[best][0] if start else 0
    return ("…" if start else "") + shortened(text[start : start + 2 * _STRETCH], _STRETCH + _STRETCH // 6)


def _under(heading: Passage, following: Sequence[str]) -> str:
    return f"{heading.text}: {' '.join(following)}" if following else heading.text


def _best(found: Sequence[Found]) -> Iterator[Found]:
    """Keep what is about as good as the best, each text once."""
    seen: set[str] = set()
    for one in found:
        if one.score < _ALSO * found[0].score or len(seen) == _MOST_PASSAGES:
            return
        if one.text not in seen:
            seen.add(one.text)
            yield one
