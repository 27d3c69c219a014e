"""Which pages a question names, and what it asks about pages themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_UNITS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELT = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_UNITS[:9])}))?|{'|'.join(reversed(_UNITS))})\b"
_WORD = rf"(?:\d{{1,5}}|{_SPELT})"
_JOINT = r"(?: ?[-–—] ?| ?, ?(?:and )?| (?:to|through|until|and|or|&) (?:pages? )?)"
_SPELT_PAGES = re.compile(
    rf"(?<!which )(?<!what )\bpages? (?:numbers? )?{_WORD}(?:{_JOINT}{_WORD})*", re.IGNORECASE
)
_SPELT_NUMBER = re.compile(rf"\b{_SPELT}", re.IGNORECASE)
_RANGE = re.compile(
    r"\b(?:pages?|pp?\.) *(?:numbers? |nos?\.? ?|#)?"
    rf"(\d{{1,5}}(?:{_JOINT}\d{{1,5}})*)(?!\d| *%)"
)
_STEP = re.compile(r"(\d{1,5})(?:(?: ?[-–—] ?| (?:to|through|until) (?:pages? )?)(\d{1,5}))?")
_NTH = rf"(?:{'|'.join(_ORDINALS)}|\d{{1,5}}(?:st|nd|rd|th)|last|final)"
_AND_NTH = rf"(?=(?:(?:,|,? and) (?:the )?{_NTH}){{0,20}} pages?\b)"
_ORDINAL = re.compile(rf"\b(?:({'|'.join(_ORDINALS)})|(\d{{1,5}})(?:st|nd|rd|th)){_AND_NTH}(?: pages?\b)?")
_LAST = re.compile(rf"\b(?:last|final){_AND_NTH}(?: pages?\b)?")
_ENDS = re.compile(rf"\b(first|last|final) ({_WORD}) pages\b")
_MOST = 100_000

WHICH_PAGE = re.compile(
    r"\b(?:which|what) (?:pages?|page numbers?)\b|\bpage numbers? (?:of|for|where)\b|\bwhat page\b"
    r"|\blist (?:all |the )*pages\b"
)
PAGE_COUNT = re.compile(
    r"\bhow many pages\b|\b(?:number|count) of (?:the )?pages\b|\bpage count\b|\bhow long is (?:this|the)\b"
    r"(?= (?:document|pdf|file|report|paper|text)?\W*$)|\bcount (?:the |all )*pages\b"
)


@dataclass(frozen=True, slots=True)
class Named:
    """The pages a question names, in their order, and those of them that the document does not have."""

    pages: tuple[int, ...]
    missing: tuple[int, ...] = ()


def named(question: str, count: int) -> Named | None:
    """Tell which pages of so many a question is about; None where it names none."""
    asked = _in_digits(" ".join(question.lower().split()))
    numbers = [number for found in _RANGE.finditer(asked) for number in _listed(found[1], count)]
    numbers += [_ORDINALS.index(x[1]) + 1 if x[1] else int(x[2]) for x in _ORDINAL.finditer(asked)]
    for found in _ENDS.finditer(asked):
        several = min(_number(found[2]), count)
        numbers += range(1, several + 1) if found[1] == "first" else range(count - several + 1, count + 1)
    if _LAST.search(asked):
        numbers.append(count)
    if not numbers:
        return None
    inside = sorted({number for number in numbers if 1 <= number <= count})
    return Named(tuple(inside), tuple(sorted(set(numbers) - set(inside))))


def without_pages(question: str) -> str:
    """Leave out of a question the pages that it names."""
    question = _in_digits(question)
    for pattern in (_RANGE, _ORDINAL, _ENDS, _LAST):
        question = pattern.sub(" ", question)
    return question


def listed(pages: tuple[int, ...] | list[int]) -> str:
    """Write pages as people do: `page 2`, `pages 1 to 4 and 9`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    said: list[str] = []
    for run in runs:
        said += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(page) for page in run]
    joined = ", ".join(said[:-1]) + " and " + said[-1] if len(said) > 1 else "".join(said)
    return f"page{'' if len(pages) == 1 else 's'} {joined}"


def _listed(text: str, count: int) -> list[int]:
    numbers: list[int] = []
    for low, high in _STEP.findall(text):
        last = min(int(high or low), max(count, int(low)), _MOST)
        numbers += range(int(low), last + 1)
        numbers += [int(high)] if high and int(high) > last else []
    return numbers


def _in_digits(question: str) -> str:
    """Write the numbers of pages in digits: `page thirty-three`."""
    return _SPELT_PAGES.sub(
        lambda pages: _SPELT_NUMBER.sub(lambda found: str(_number(found[0].lower())), pages[0]), question
    )


def _number(word: str) -> int:
    if word.isdecimal():
        return int(word)
    tens, _, unit = word.replace(" ", "-").partition("-")
    above = 10 * (_TENS.index(tens) + 2) if tens in _TENS else _UNITS.index(tens) + 1
    return above + (_UNITS.index(unit) + 1 if unit else 0)
