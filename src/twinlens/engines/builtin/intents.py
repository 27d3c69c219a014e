"""What a question is after, by explicit word patterns: small, predictable, and never a guess.

A question that no pattern knows is `ask`: the text of the picture may hold the answer, and where it does
not, the engine says that it cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from . import patterns
from .facts import ALL_FACTS, FactName
from .wording import FILLER, tokens

IntentName = Literal[
    "ask",
    "caption",
    "chart",
    "codes",
    "colours",
    "count",
    "detect",
    "difference",
    "kind",
    "locate",
    "presence",
    "quality",
    "read",
    "refuse",
    "segment",
    "size",
    "table",
]


@dataclass(frozen=True, slots=True)
class Intent:
    """What is asked. `topic` names what cannot be told; `quoted` is text that the question cites.

    `targets` are the kinds of fact it is about and `colours` the colours it names; `strangers` are the
    words of it that the engine knows nothing of.
    """

    name: IntentName
    wanted: frozenset[FactName]
    targets: frozenset[FactName] = frozenset()
    colours: frozenset[str] = frozenset()
    strangers: tuple[str, ...] = ()
    quoted: str = ""
    topic: str = ""
    question: str = ""


COLOUR_WORDS: Mapping[str, str] = {
    word: name for name, words in patterns.COLOURS.items() for word in words.split()
}
"""Words for colours, and the name the colour facts have for each."""

_CAPTION_FACTS = ALL_FACTS - {"tables"}
_KNOWN = FILLER | {*patterns.FORM.split(), *patterns.ANYTHING.split(), *COLOUR_WORDS}

# In the order they are tried: the narrower question first.
_PATTERNS: tuple[tuple[IntentName, str, frozenset[FactName]], ...] = (
    ("count", patterns.COUNT, frozenset()),
    ("codes", patterns.CODES, frozenset({"codes"})),
    ("quality", patterns.QUALITY, frozenset({"quality"})),
    ("size", patterns.SIZE, frozenset()),
    ("kind", patterns.KIND, frozenset({"kind"})),
    ("colours", patterns.COLOUR, frozenset({"colours"})),
    ("table", patterns.TABLE, frozenset({"tables", "text"})),
    ("chart", patterns.CHART, frozenset({"charts", "text"})),
    ("read", patterns.READ, frozenset({"text"})),
    ("caption", patterns.CAPTION, _CAPTION_FACTS),
    ("locate", patterns.LOCATE, frozenset()),
)

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PICTURE = r"(?:image|picture|photo|photograph|screenshot|page|one)"
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS)}|last|(\d{{1,4}})(?:st|nd|rd|th)) {_PICTURE}\b")
_NUMBERED = re.compile(r"\b(?:image|picture|photo|page) (?:number |no\.? |#)?(\d{1,4})\b")
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,80})[\"“”«»]|(?<!\w)'([^']{1,80})'(?!\w)")
_LONGEST = 2000
_POINTING = frozenset(
    ("and", "what", "about", "how", "the", "in", "on", "for", "of", "with", "now", "then", "same", "please")
)


def read(question: str, images: int = 1) -> Intent:
    """Tell what a question about so many pictures is after."""
    asked = " ".join(question[:_LONGEST].lower().split())
    first = _first_sentence(asked)
    intent = _named(asked, first, images, _quoted(question[:_LONGEST], first))
    return _with_wanted(intent, question[:_LONGEST])


def picked(question: str, count: int) -> int | None:
    """Tell which of so many pictures a question means (`the second image`); None where it means all."""
    asked = question[:_LONGEST].lower()
    if found := _ORDINAL.search(asked):
        index = count if found[1] == "last" else int(found[2] or 0) or _ORDINALS.index(found[1]) + 1
    elif found := _NUMBERED.search(asked):
        index = int(found[1])
    else:
        return None
    return index - 1 if 1 <= index <= count else None


def is_follow_up(question: str) -> bool:
    """Tell whether a question says only which picture it means, and so repeats the one before."""
    rest = _NUMBERED.sub("", _ORDINAL.sub("", question[:_LONGEST].lower()))
    return rest != question[:_LONGEST].lower() and set(tokens(rest)) <= _POINTING


def _first_sentence(asked: str) -> str:
    """The sentence that says what is wanted; what follows is mostly about the form of the answer."""
    return (
        re.split(r"[.!?](?:\s|$)|\b(?:return|output|respond|answer|format)\b", asked, maxsplit=1)[0] or asked
    )


def _quoted(question: str, first: str) -> str:
    """The words that the first sentence cites, spelt as the question spells them."""
    found = _QUOTED.search(first)
    if found is None:
        return ""
    words = found[1] or found[2]
    spelt = re.search(re.escape(words), " ".join(question.split()), re.IGNORECASE)
    return spelt[0] if spelt else words


def _named(asked: str, first: str, images: int, quoted: str) -> Intent:
    if not asked:
        return Intent("caption", _CAPTION_FACTS)
    if re.search(patterns.SEGMENT, asked):
        return _about("segment", first, quoted)
    if re.search(patterns.DIFFERENCE, asked) and (images > 1 or re.search(r"\bdifferences?\b", first)):
        return Intent("difference", frozenset())
    if re.search(patterns.DETECT, asked):
        return _about("detect", first, quoted)
    for topic, pattern in patterns.REFUSED.items():
        if re.search(pattern, asked):
            if re.search(patterns.DESCRIBE, asked):
                return Intent("caption", _CAPTION_FACTS, topic=topic)
            return Intent("refuse", frozenset(), topic=topic)
    presence = _about("presence", first, quoted)
    if re.search(patterns.PRESENCE, asked) and (presence.targets or presence.colours or quoted):
        return presence
    for name, pattern, wanted in _PATTERNS:
        if re.search(pattern, asked):
            found = _about(name, first, quoted)
            return (
                found if name in ("count", "locate") else Intent(name, wanted, found.targets, quoted=quoted)
            )
    return Intent("ask", frozenset({"text"}), quoted=quoted)


def _about(name: IntentName, sentence: str, quoted: str) -> Intent:
    """Sort the words of a sentence: kinds of fact, colours, and what the engine knows nothing of."""
    if quoted:
        sentence = sentence.replace(quoted.lower(), " ")
    targets = {kind for kind, pattern in patterns.TARGETS.items() if re.search(pattern, sentence)}
    for kind in targets:
        sentence = re.sub(patterns.TARGETS[kind], " ", sentence)
    words = tokens(sentence.replace("box_2d", " "))
    colours = frozenset(COLOUR_WORDS[word] for word in words if word in COLOUR_WORDS)
    strangers = tuple(w for w in words if not {w, w.removesuffix("s")} & _KNOWN and not w.isdecimal())
    return Intent(name, frozenset(), frozenset(targets), colours, strangers, quoted)


def _with_wanted(intent: Intent, question: str) -> Intent:
    """Name the facts to look for, where they follow from what is asked about."""
    wanted = intent.wanted
    if intent.name in ("detect", "segment", "count", "locate", "presence"):
        wanted = intent.targets | ({"colours"} if intent.colours else set())
        wanted |= {"text"} if intent.quoted or (not wanted and intent.name == "locate") else set()
        if intent.name in ("detect", "segment") and not wanted and not intent.strangers:
            wanted = ALL_FACTS - {"quality"}
        if wanted & {"tables", "charts"}:
            wanted |= {"text"}
    return Intent(
        intent.name,
        frozenset(wanted),
        intent.targets,
        intent.colours,
        intent.strangers,
        intent.quoted,
        intent.topic,
        question,
    )
