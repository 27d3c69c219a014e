"""Words as the built-in engine compares them: tokens, stems, and the words that carry no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable

STEM_LENGTH = 5

_FILLER = """
a about above across after again all along also am among an and another any are around as ask at be been
being below beside between both but by can contain contained contains could did display do does done down
each either else every exactly few find for from get give given go got had has have having he her here
hers him his how i if in inside into is it its just know let like list make many may me mean might more
most much must my name near need no not now of off ok on once one only onto or other our out over own per
please provide put return said same say says see seen shall she should show shown shows so some such tell
than that the their them then there these they thing this those through to too under until up upon us use
used using very want was we were what when where whether which while who whom whose why will with within
would you your image images picture pictures photo photos photograph photographs page file screenshot
document visible present text written video videos clip clips footage recording recordings frame frames
screen time times moment moments second seconds minute minutes
"""
FILLER = frozenset(_FILLER.split())
"""Words of a question that do not name what is asked about."""

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|#")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def tokens(text: str) -> list[str]:
    """Split a text into words in lower case; `invoiceNumber` and `invoice_number` are two words each."""
    return [word.lower() for word in _TOKEN.findall(_HUMP.sub(" ", text))]


def stems(words: Iterable[str]) -> set[str]:
    """Cut words to their first letters, so that `invoiced` meets `invoices`; fillers are left out."""
    return {_stem(word) for word in words if word not in FILLER}


def listing(items: Iterable[str]) -> str:
    """Join items as one says them: `a`, `a and b`, `a, b and c`."""
    said = list(items)
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1] if said else ""


def plural(count: int, noun: str) -> str:
    """Say a number of things: `1 face`, `2 faces`, `no faces`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def shortened(text: str, longest: int) -> str:
    """Cut a text at a word's end so that it fits, with three dots where something is missing."""
    if len(text) <= longest:
        return text
    cut = text[: max(longest - 1, 0)]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"


def _stem(word: str) -> str:
    word = word.replace("’", "'").removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:STEM_LENGTH]
