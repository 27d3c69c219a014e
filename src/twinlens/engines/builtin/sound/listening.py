"""What a question about a recording is after, by explicit word patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from ..asked import Asked

SoundKind = Literal["ask", "describe", "length", "level", "quiet", "refuse", "speech", "transcript"]


def kind_of(asked: Asked) -> SoundKind:
    """Tell what of a recording a question is about."""
    question = asked.question.lower()
    found = next((kind for kind, pattern in _KINDS.items() if re.search(pattern, question)), None)
    if found is None and asked.intent.topic not in ("", "sounds"):
        return "refuse"
    return found or _BY_INTENT.get(asked.intent.name, "ask")


def _any(*alternatives: str) -> str:
    """Join alternatives into one pattern of whole words."""
    return rf"\b(?:{'|'.join(alternatives)})\b"


_RECORDING = "(?:recording|audio|sound|file|clip|track|video)"
_THIS = "(?:the|this|that|my|it)"

_KINDS: Mapping[SoundKind, str] = {
    "transcript": _any(
        *("transcri(?:be|bed|pt|pts|ption)", "verbatim", "word for word", "speech to text", "subtitles?"),
        *(r"write (?:\w+ ){0,2}down", "lyrics", "dictat(?:e|ed|ion)", r"what (?:s?he|they|the \w+) says?"),
        r"what (?:is|was|are|were|do|does|did)(?: \w+){0,4} (?:said|say|saying|spoken|discussed)",
        r"what (?:is|was|are|were|do|does|did)(?: \w+){0,4} talk(?:ing)? about",
    ),
    "refuse": _any(
        *(
            "music(?:al)?",
            "melod(?:y|ies)",
            "instruments?",
            "songs?",
            "genre",
            "tempo",
            "noises?",
            "animals?",
        ),
        *(
            "who (?:is|are|was|speaks|talks)",
            "(?:what|which) language",
            "accent",
            "emotions?",
            "mood",
            "tone",
        ),
        *("how many (?:people|persons|speakers|voices)", "(?:fe)?male", "man or (?:a )?woman"),
    ),
    "quiet": _any("silen(?:t|ce|ces)", "quiet", "pauses?"),
    "level": _any("loud(?:er|est|ness)?", "volume", "decibels?"),
    "length": _any(
        rf"how long (?:is|are|does|do) {_THIS}(?: {_RECORDING})?",
        *(
            "duration",
            f"length of {_THIS} {_RECORDING}",
            f"{_RECORDING} length",
            "how many (?:minutes|seconds)",
        ),
    ),
    "describe": _any(
        *("describe", "description", "summar(?:y|i[sz]e)", "caption", "overview", "analy[sz]e", "analysis"),
        *("tell me about", "what (?:can|do) (?:you|we|i) hear", rf"what(?:'s| is) in {_THIS}"),
        rf"what is {_THIS}(?: {_RECORDING})?(?=\W*$)",
    ),
    "ask": _any("(?:main|key) (?:points?|ideas?|messages?)", "topics?", "takeaways?", "explain", "why"),
    "speech": _any(
        *("speech", "speaks?", "speaking", "spoken?", "spoke", "talks?", "talking", "voices?", "speakers?"),
        *("says? (?:any|some)thing", "(?:any|some)(?:body|one)"),
    ),
}
"""How questions are put, in the order they are tried: the narrower first."""

_BY_INTENT: Mapping[str, SoundKind] = {
    "caption": "describe",
    "timeline": "describe",
    "read": "transcript",
    "length": "length",
}
