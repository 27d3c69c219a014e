"""One of several given values, chosen by facts: the kind of picture, a colour, a yes or no, a label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from ...domain.media import Json
from . import naming
from .evidence import Evidence
from .intents import COLOUR_WORDS
from .naming import Names
from .wording import tokens

_KINDS: Mapping[str, frozenset[str]] = {
    "photograph": frozenset(("photo", "photograph", "photography")),
    "document": frozenset(("document", "scan", "text", "page")),
    "screenshot": frozenset(("screenshot", "screen", "ui", "interface")),
    "chart": frozenset(("chart", "graph", "plot", "diagram")),
    "drawing": frozenset(("drawing", "illustration", "graphic", "painting", "clipart")),
}
_YES = frozenset(("yes", "true", "y", "present"))
_NO = frozenset(("no", "false", "n", "absent"))
_MOST_KEPT = 100
_STAMPED = frozenset(("status", "currency"))


def choose(allowed: Sequence[Json], names: Names, evidence: Evidence, given: Json = None) -> Json:
    """Choose the value that a fact stands for; None where there is no such fact.

    `given` is what a record says at this place; without one the labels and the facts are asked.
    """
    if given is not None:
        return _matching(str(given), allowed)
    for labels in evidence.labels:
        if names and (found := labels.find(names, lambda said: _matching(said, allowed))) is not None:
            return found
    for claim in _claims(names, evidence):
        if (found := _matching(claim, allowed)) is not None:
            return found
    return _stamped(allowed, evidence) if naming.words_of(names) & _STAMPED else None


def truth_of(said: str) -> bool | None:
    """Read a yes or a no."""
    words = set(tokens(said))
    return True if words & _YES else False if words & _NO else None


def _claims(names: Names, evidence: Evidence) -> Iterator[str]:
    """Give what the facts say in one word each, where the field or the question is about it."""
    asked = naming.words_of(names)
    truth = naming.truth(names, evidence)
    if truth is not None:
        yield from sorted(_YES if truth else _NO)
    whole = naming.is_answer(names)
    about = {evidence.intent.name} if whole else set()
    for facts in evidence.facts:
        if facts.kind and ("kind" in about or asked & {"kind", "type", "category", "format", "class"}):
            yield from sorted(_KINDS[facts.kind.name])
        if "colours" in about or asked & {"colour", "color"}:
            yield from (colour.name for colour in facts.colours or ())
        if facts.quality and ("quality" in about or asked & {"sharpness", "quality", "focus", "exposure"}):
            yield from (facts.quality.sharpness, facts.quality.exposure)
    if whole:
        if evidence.answer.number is not None:
            yield f"{evidence.answer.number:g}"
        yield from evidence.answer.strings or ()
    elif (number := naming.number(names, evidence)) is not None:
        yield f"{number:g}"


def _matching(said: str, allowed: Sequence[Json]) -> Json:
    """Find the value that a word or a short text names."""
    plain = " ".join(tokens(said))
    spoken = {i: _spoken(str(value)) for i, value in enumerate(allowed) if value is not None}
    for index, name in spoken.items():
        if name and name == plain:
            return allowed[index]
    colour = COLOUR_WORDS.get(plain)
    for index, name in spoken.items():
        if colour is not None and COLOUR_WORDS.get(name) == colour:
            return allowed[index]
    within = [
        i
        for i, name in spoken.items()
        if name and name in plain and re.search(rf"\b{re.escape(name)}\b", plain)
    ]
    return allowed[within[0]] if len(within) == 1 else None


def _spoken(member: str) -> str:
    """Put a member as its words; a table's every row asks for those of the same members."""
    return _short(member) if len(member) <= _MOST_KEPT else " ".join(tokens(member))


@lru_cache(maxsize=16_384)
def _short(member: str) -> str:
    return " ".join(tokens(member))


def _stamped(allowed: Sequence[Json], evidence: Evidence) -> Json:
    """Find the one value that stands in the text as a word of its own."""
    words = set(tokens(evidence.text))
    found = [value for value in allowed if isinstance(value, str) and value.casefold() in words]
    return found[0] if len(found) == 1 else None
