"""What a question is after, by explicit word patterns: small, predictable, and never a guess.

A question that no pattern knows is `ask`: the text of the picture may hold the answer, and where it does
not, the engine says that it cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from . import patterns
from .facts import ALL_FACTS, FactName
from .patterns import IntentName
from .wording import FILLER, tokens


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
PICTURES = "image|picture|photo|photograph|screenshot|page"
VIDEOS = "video|clip|movie|film"
SOUNDS = "recording|audio|sound|track"
DOCUMENTS = "document|pdf|file"
_KINDS: Mapping[str, str] = {
    PICTURES: "image|picture|photo|photograph|screenshot",
    VIDEOS: "video|clip|movie|film",
    SOUNDS: "recording|audio|podcast",
    DOCUMENTS: "document|pdf|text file|spreadsheet",
}
"""What each kind is called where it is named without a number; a page or a file may be anything."""
_OF_A_MEDIUM = re.compile(
    r"\bthe (?:audio|sound|speech|image|picture|recording)s?(?: track)?(?: (?:shown|heard))?"
    r" (?:of|in|from|on) (?:the|this|that) "
)
_ANY_MEDIUM = "|".join((PICTURES, VIDEOS, SOUNDS, DOCUMENTS, "one"))
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,80})[\"“”«»]|(?<!\w)'([^']{1,80})'(?!\w)")
# `the word DOG`, `does the sign say OPEN`: cited as well as if there were marks around it.
_NAMED = re.compile(r"\bthe (?:word|phrase|term) ([^\W_][\w'’&-]{0,40})")
_AFTER_A_WORD = frozenset(patterns.AFTER_A_WORD.split())
_SAYS = re.compile(
    r"^\W*(?:does|do|did) (?:the|this|that|any|it)\b(?: \w+){0,5}? (?:say|read|mention)s? "
    r"(?:the (?:word|phrase|term)s? )?([^?.!,;:]{1,60}?)(?: (?:in|on|at|after|before) .*)?\W*$"
)
_NOBODY = re.compile(
    r"\b(?:s?he|they|(?:any|some)(?:one|body)|man|woman|person|people|speakers?|narrator|voice)\b"
)
_AS_A_LIST = re.compile(
    r"\b(?:as|in|into) (?:a |an |the form of a )?(?:markdown |csv |html )?(?:table|tabular form|list|csv)"
    r"(?: format)?\b"
)
_LONGEST = 2000
_POINTING = frozenset(
    ("and", "what", "about", "how", "the", "in", "on", "for", "of", "with", "now", "then", "same", "please")
)


def read(question: str, images: int = 1, recordings: int = 0) -> Intent:
    """Tell what a question about so many pictures, and so many videos and sounds, is after."""
    asked = " ".join(question[:_LONGEST].lower().split())
    if recordings:
        # What a recording tells is a list anyway; nobody looks for a table in it by these words.
        asked = _AS_A_LIST.sub(" ", asked)
    first = _first_sentence(asked)
    quoted = _quoted(question[:_LONGEST], first)
    intent = (_of_recording(asked, first, quoted) if recordings else None) or _named(
        asked, first, images + recordings, quoted
    )
    return _with_wanted(intent, question[:_LONGEST])


def picked(question: str, count: int, nouns: str = f"{PICTURES}|one") -> int | None:
    """Tell which of so many media a question means (`the second image`); None where it means all."""
    asked = question[:_LONGEST].lower()
    if found := _ordinal(nouns).search(asked):
        index = count if found[1] == "last" else int(found[2] or 0) or _ORDINALS.index(found[1]) + 1
    elif found := _numbered(nouns).search(asked):
        index = int(found[1])
    else:
        return None
    return index - 1 if 1 <= index <= count else None


def kinds(question: str) -> tuple[str, ...]:
    """Tell which kinds of media a question names, as `the video` and `these pictures` do."""
    asked = _OF_A_MEDIUM.sub("the ", _QUOTED.sub(" ", question[:_LONGEST].lower()))
    return tuple(nouns for nouns, words in _KINDS.items() if _the(words).search(asked))


def is_follow_up(question: str) -> bool:
    """Tell whether a question says only which picture it means, and so repeats the one before."""
    rest = _numbered(_ANY_MEDIUM).sub("", _ordinal(_ANY_MEDIUM).sub("", question[:_LONGEST].lower()))
    for words in _KINDS.values():
        rest = _the(words).sub("", rest)
    return rest != question[:_LONGEST].lower() and set(tokens(rest)) <= _POINTING


@cache
def _the(nouns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:the|this|that|these|those|my|our|both|all) (?:\w+ )?(?:{nouns})s?\b(?!-)")


@cache
def _ordinal(nouns: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(_ORDINALS)}|last|(\d{{1,4}})(?:st|nd|rd|th)) (?:{nouns})\b")


@cache
def _numbered(nouns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{nouns}) (?:number |no\.? |#)?(\d{{1,4}})\b(?!:\d)")


def _first_sentence(asked: str) -> str:
    """The sentence that says what is wanted; what follows is mostly about the form of the answer."""
    return (
        re.split(r"[.!?](?:\s|$)|\b(?:return|output|respond|answer|format)\b", asked, maxsplit=1)[0] or asked
    )


def _quoted(question: str, first: str) -> str:
    """The words that the first sentence cites, spelt as the question spells them."""
    found = _QUOTED.search(first)
    words = _cited(first) if found is None else found[1] or found[2]
    if not words:
        return ""
    spelt = re.search(re.escape(words), " ".join(question.split()), re.IGNORECASE)
    return spelt[0] if spelt else words


def _cited(first: str) -> str:
    """Find the words that a sentence cites without marks around them, where it asks for them to be found."""
    if re.search(patterns.DETECT, first):
        named = _NAMED.search(first)
        return named[1] if named and named[1] not in _AFTER_A_WORD else ""
    said = _SAYS.search(first)
    if said is None or _NOBODY.search(first[: said.start(1)]):
        return ""
    words = tokens(said[1])
    return (
        said[1].strip() if words and not set(words) <= FILLER | {"anything", "something", "nothing"} else ""
    )


def _of_recording(asked: str, first: str, quoted: str) -> Intent | None:
    """Tell what only videos and sounds can be asked; None where pictures could be asked it too."""
    names = [name for name, pattern in patterns.OF_RECORDINGS.items() if re.search(pattern, asked)]
    if "timeline" in names and (quoted or re.search(patterns.WITH_TIMES, asked)):
        # Such answers come with their times anyway.
        names.remove("timeline")
        if _named(asked, first, 0, quoted).name == "ask":
            return _about("locate", first, quoted)
    if names:
        return Intent(names[0], frozenset(), quoted=quoted, topic=_topic(asked))
    if re.search(patterns.HAPPENING, first) and not _about("presence", first, quoted).targets:
        return Intent("caption", _CAPTION_FACTS, topic=_topic(asked) or "actions")
    return _about("locate", first, quoted) if re.search(patterns.WHEN, asked) else None


def _topic(asked: str) -> str:
    """Name what cannot be told of what a question asks for."""
    return next((topic for topic, pattern in patterns.REFUSED.items() if re.search(pattern, asked)), "")


def _named(asked: str, first: str, images: int, quoted: str) -> Intent:
    if not asked:
        return Intent("caption", _CAPTION_FACTS)
    if re.search(patterns.SEGMENT, asked):
        return _about("segment", first, quoted)
    if re.search(patterns.DIFFERENCE, asked) and (images > 1 or re.search(r"\bdifferences?\b", first)):
        return Intent("difference", frozenset())
    if re.search(patterns.DETECT, asked):
        return _about("detect", first, quoted)
    if topic := _topic(asked):
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
