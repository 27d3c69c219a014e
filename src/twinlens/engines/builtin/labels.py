"""Values beside the words that name them: `Total` and what stands to its right, or below it.

The names come from a caller's schema (`invoice_number`), the labels from the picture (`Invoice No.`);
a table of synonyms is all that joins them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from ...domain.regions import Box
from .facts import Facts, Line
from .wording import tokens

T = TypeVar("T")

_SYNONYMS: Mapping[str, str] = {
    "number": "no nr num number # id identifier ref reference",
    "vendor": "vendor seller supplier merchant from issuer sold_by billed_by issued_by company shop store",
    "customer": "customer client buyer recipient bill_to billed_to sold_to to",
    "quantity": "quantity qty units pcs pieces",
    "price": "price rate cost unit_price price_each unit_cost",
    "total": "total grand_total total_amount_due amount_due balance_due total_due amount_total total_amount "
    "total_price line_total balance amount_payable sum gesamt",
    "subtotal": "subtotal sub_total net net_total net_amount",
    "tax": "tax vat gst mwst sales_tax tax_amount vat_amount",
    "phone": "phone tel telephone mobile phone_number",
    "email": "email e_mail mail email_address",
    "date": "date dated datum",
    "due": "due payable",
    "description": "description item product article details particulars service item_name product_name",
    "amount": "amount",
    "discount": "discount rebate",
    "address": "address",
    "currency": "currency",
}
_CANONICAL = {words.replace("_", " "): name for name, row in _SYNONYMS.items() for words in row.split()}
_LONGEST_PHRASE = max(len(phrase.split()) for phrase in _CANONICAL)
# Words that a schema says and a page leaves out, or the other way round.
_LEFT_OUT = "invoice receipt document bill order the of for a in amount name value full text field"
_OPTIONAL = frozenset(_LEFT_OUT.split())
_CURRENCY = frozenset(("usd", "eur", "gbp", "chf", "incl", "inc"))
_MOST_LABEL_WORDS = 5
_LONGEST_LABEL = 200
_MOST_TRIED = 100
"""So many labels of one name are looked beside on a page: a stranger's page may have nothing else."""
_PROSE_WORDS = 12
"""A segment of more words, with no colon near its beginning, is prose and has no label."""
_LABELLED = re.compile(r"[^\W\d][^:]{0,40}:(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a line without a wide gap: what a reader takes for one cell."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Words that may be a label; `value` is what follows them in the same segment."""

    terms: frozenset[str]
    value: str
    segment: Segment
    colon: bool


@dataclass(frozen=True, slots=True)
class Value(Generic[T]):
    """What stands beside a label, and the index of the picture or page where it was found."""

    value: T
    index: int


class Labels:
    """All that may be a label in one picture, ready to be searched for many names."""

    def __init__(self, facts: Facts) -> None:
        # Boxes count in thousandths of each side: a height becomes a width by the picture's shape.
        shape = facts.height / max(facts.width, 1)
        self._segments = tuple(s for line in facts.lines or () for s in _segments(line, shape))
        self._candidates: dict[str, list[_Candidate]] = {}
        for candidate in (c for segment in _not_prose(self._segments) for c in _candidates(segment)):
            for term in candidate.terms:
                self._candidates.setdefault(term, []).append(candidate)

    def find(self, names: Sequence[str], read: Callable[[str], T | None]) -> T | None:
        """Find the value of the first of these names that a label stands for and `read` can read."""
        found = find_first([self], names, read)
        return None if found is None else found.value

    def values(self, terms: frozenset[str]) -> Iterator[str]:
        """Give what stands beside labels of such terms, the closest label first."""
        ranked = sorted(
            (c for c in self._with(terms) if c.terms - terms <= _OPTIONAL | _CURRENCY),
            key=lambda c: (len(c.terms - terms), not c.colon),
        )
        for candidate in ranked[:_MOST_TRIED]:
            yield from self._values(candidate)

    def pairs(self) -> dict[str, str]:
        """Give what is written as `label: value`."""
        found: dict[str, str] = {}
        tried = 0
        for segment in self._segments:
            label, colon, value = segment.text.partition(":")
            if not colon or not 0 < len(label.split()) <= _MOST_LABEL_WORDS or label.strip().isdecimal():
                continue
            value = value.strip()
            if not value and tried < 10 * _MOST_TRIED:
                tried += 1
                value = next(self._beside(segment), "")
            if value:
                found.setdefault(label.strip(), value)
        return found

    def _with(self, terms: frozenset[str]) -> Iterator[_Candidate]:
        rarest = min((self._candidates.get(term, []) for term in terms), key=len)
        return (candidate for candidate in rarest if terms <= candidate.terms)

    def _values(self, candidate: _Candidate) -> Iterator[str]:
        beside = self._beside(candidate.segment)
        if candidate.value.endswith("%"):
            # `VAT 19%` with an amount beside it: the rate belongs to the label.
            yield from beside
        if candidate.value:
            yield candidate.value
        else:
            yield from beside

    def _beside(self, label: Segment) -> Iterator[str]:
        """Give what stands to the right, then what stands below; what looks like a label is none of them."""
        for near in (_right(label, self._segments), _below(label, self._segments)):
            if near is not None and not _LABELLED.match(near.text):
                yield near.text


def find_first(
    pictures: Sequence[Labels], names: Sequence[str], read: Callable[[str], T | None]
) -> Value[T] | None:
    """Find the value of the first of these names in several pictures: the most exact label wins, then the
    first picture that has it."""
    for terms, least in _wanted(names):
        for index, labels in enumerate(pictures):
            for text in labels.values(terms):
                if (least or _has_digit(text)) and (value := read(text)) is not None:
                    return Value(value, index)
    return None


@lru_cache(maxsize=20_000)
def terms_of(text: str) -> frozenset[str]:
    """Reduce a name or a label to canonical terms: `Inv. No.` and `invoice_number` come out alike."""
    words = ["invoice" if word == "inv" else word for word in tokens(text)]
    found: list[str] = []
    while words:
        for count in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
            phrase = " ".join(words[:count])
            if phrase in _CANONICAL or count == 1:
                found.append(_CANONICAL.get(phrase, phrase))
                words = words[count:]
                break
    return frozenset(found)


def header_terms(text: str) -> frozenset[str]:
    """Reduce the header of a column to the terms that tell it from others."""
    terms = terms_of(text)
    return terms - _OPTIONAL - _CURRENCY or terms


def _wanted(names: Sequence[str]) -> Iterator[tuple[frozenset[str], bool]]:
    """Give the sets of terms to look for, the most exact first.

    The second value is False where so much was left out that only a value with a digit is believed.
    """
    exact = [terms_of(name) for name in names]
    yield from ((terms, True) for terms in exact if terms)
    for terms in exact:
        if (less := terms - _OPTIONAL) and less != terms:
            yield less, True
    for terms in exact:
        if "number" in terms and (less := terms - {"number"}):
            yield less, False


def _segments(line: Line, shape: float) -> Iterator[Segment]:
    """Cut a line at its wide gaps, so that two columns read as one line come apart."""
    if len(line.words) < 2:
        yield Segment(line.text.strip(), line.box)
        return
    gap = 2 * (line.box.ymax - line.box.ymin) * shape
    run = [line.words[0]]
    for word in line.words[1:]:
        if word.box.xmin - run[-1].box.xmax > gap:
            yield _joined([w.text for w in run], [w.box for w in run])
            run = []
        run.append(word)
    yield _joined([w.text for w in run], [w.box for w in run])


def _joined(texts: Sequence[str], boxes: Sequence[Box]) -> Segment:
    box = Box(
        min(b.ymin for b in boxes),
        min(b.xmin for b in boxes),
        max(b.ymax for b in boxes),
        max(b.xmax for b in boxes),
    )
    return Segment(" ".join(texts), box)


def _not_prose(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Leave out the last, short lines of paragraphs: they look like labels and are none."""
    above: Segment | None = None
    for segment in segments:
        ends = (
            above is not None
            and above.text.count(" ") >= _PROSE_WORDS
            and abs(above.box.xmin - segment.box.xmin) <= 5
            and 0 <= segment.box.ymin - above.box.ymax < segment.box.ymax - segment.box.ymin
        )
        if not ends or ":" in segment.text:
            yield segment
        above = segment


def _candidates(segment: Segment) -> Iterator[_Candidate]:
    label, colon, value = segment.text.partition(":")
    if colon and len(label.split()) <= _MOST_LABEL_WORDS and len(label) <= _LONGEST_LABEL:
        yield _Candidate(terms_of(label), value.strip(), segment, True)
        return
    if segment.text.count(" ") >= _PROSE_WORDS or len(segment.text) > _LONGEST_LABEL:
        return
    words = segment.text.split()
    if len(words) <= _MOST_LABEL_WORDS:
        yield _Candidate(terms_of(segment.text), "", segment, False)
    for count in range(1, min(len(words), _MOST_LABEL_WORDS)):
        value = " ".join(words[count:]).lstrip("-–—= ")
        # `Total 9.00` is a label and its value, `The meeting is on 5 May` is a sentence.
        if words[count - 1].endswith((".", "#")) or (_has_digit(value) and not value[0].islower()):
            yield _Candidate(terms_of(" ".join(words[:count])), value, segment, False)


def _right(label: Segment, others: Iterable[Segment]) -> Segment | None:
    middle = (label.box.ymin + label.box.ymax) / 2
    beside = (
        s
        for s in others
        if s is not label and s.box.ymin <= middle <= s.box.ymax and s.box.xmin >= label.box.xmax - 10
    )
    return min(beside, key=lambda s: s.box.xmin, default=None)


def _below(label: Segment, others: Iterable[Segment]) -> Segment | None:
    box = label.box
    reach = box.ymax + 2.5 * (box.ymax - box.ymin)
    under = (
        s
        for s in others
        if s is not label
        and (box.ymin + box.ymax) / 2 < s.box.ymin <= reach
        and min(s.box.xmax, box.xmax) > max(s.box.xmin, box.xmin)
    )
    return min(under, key=lambda s: s.box.ymin, default=None)


def _has_digit(text: str) -> bool:
    return re.search(r"\d", text) is not None
