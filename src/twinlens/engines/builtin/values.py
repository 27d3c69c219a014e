"""Numbers, dates and addresses as people print them, read into the forms that schemas ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_DIGITS = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d[\d.,']*\d|\d"
_MONEY = r"[$€£¥]|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK"
_NUMBER = re.compile(rf"(?<![\w.,:/-])[-−(]?\s?(?:(?:{_MONEY})\s?)?[-−]?({_DIGITS})(?![\w:/-])")
_GROUPS = re.compile(r"\d{1,3}([.,'])\d{3}(?:\1\d{3})*")
_SPACES = re.compile(r"[ \u00a0\u202f]")
_ISO = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SHORT = re.compile(r"\b(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_DAY_FIRST = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|\.)?\s*(?:of\s+)?([A-Za-zäé]{3,9})\.?,?\s*(\d{4})\b")
_MONTH_FIRST = re.compile(r"\b([A-Za-zäé]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s*(\d{4})\b")
_TIME = re.compile(r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([AaPp])\.?[Mm])?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

SHAPES: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    "uri": re.compile(r"(?:https?://|www\.)[^\s,;<>\"“”]{3,300}"),
    "phone": re.compile(r"(?<![\w.])\+?\(?\d[\d ()/.-]{6,18}\d(?![\w.])"),
    "percentage": re.compile(r"\d[\d.,]{0,10}\s?%"),
    "time": _TIME,
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b"),
}
"""Texts that are known by their look, wherever they stand."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date, and whether day and month could have been the other way round."""

    value: date
    ambiguous: bool = False


def number(text: str) -> float | None:
    """Read the one number of a text: `$1,234.50`, `1.234,50 EUR`, `(12.00)`; None where there is no one.

    A comma before exactly three digits separates thousands, a point before three digits is a decimal
    point, as in English.
    """
    found = numbers(text)
    return found[0] if len(found) == 1 else None


def numbers(text: str) -> list[float]:
    """Read all numbers of a text."""
    read = (_signed(found) for found in _NUMBER.finditer(text))
    return [value for value in read if value is not None]


def day(text: str) -> Day | None:
    """Read the one date of a text. With slashes and no other hint the month comes first."""
    if found := _ISO.search(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _SHORT.search(text):
        return _short(int(found[1]), found[2], int(found[3]), found[4])
    if found := _DAY_FIRST.search(text):
        return _day(int(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_FIRST.search(text):
        return _day(int(found[3]), _month(found[1]), int(found[2]))
    return None


def clock(text: str) -> str | None:
    """Read a time of day as `HH:MM:SS`."""
    found = _TIME.search(text)
    if found is None:
        return None
    hour, half = int(found[1]), (found[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        return None
    return f"{hour:02}:{found[2]}:{found[3] or '00'}"


def _signed(found: re.Match[str]) -> float | None:
    value = _decimal(_SPACES.sub("", found[1])) if len(found[1]) <= 30 else None
    if value is None:
        return None
    lead = found[0][: found.start(1) - found.start(0)]
    return -value if any(sign in lead for sign in "-−(") else value


def _decimal(digits: str) -> float | None:
    """Tell thousands from decimals by which separator comes last, and by what follows it."""
    if _GROUPS.fullmatch(digits) and not re.fullmatch(r"\d{1,3}\.\d{3}", digits):
        return float(re.sub(r"\D", "", digits))
    digits = digits.replace("'", "")
    point = max(digits.rfind("."), digits.rfind(","))
    if point < 0:
        return float(digits)
    whole, part = re.sub(r"\D", "", digits[:point]), digits[point + 1 :]
    if not part.isdecimal() or digits.count(digits[point]) > 1:
        return None
    return float(f"{whole or 0}.{part}")


def _short(first: int, separator: str, second: int, year: str) -> Day | None:
    whole = int(year) + (2000 if len(year) == 2 else 0)
    if separator == "." or first > 12:
        return _day(whole, second, first)
    return _day(whole, first, second, ambiguous=second <= 12 and first != second)


def _day(year: int, month: int, number_of_day: int, *, ambiguous: bool = False) -> Day | None:
    try:
        return Day(date(year, month, number_of_day), ambiguous)
    except ValueError:
        return None


def _month(name: str) -> int:
    start = name[:3].lower().replace("mär", "mar").replace("mai", "may").replace("okt", "oct")
    start = start.replace("dez", "dec")
    return _MONTHS.index(start) + 1 if start in _MONTHS else 0
