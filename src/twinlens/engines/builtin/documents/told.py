"""One question about a document as far as its answer goes: what was told, and from which pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..asked import Asked
from ..evidence import Answer
from . import paging, retrieval
from .reading import Reading

_READING = """
read reads extract transcribe transcription transcript ocr copy dump output print full whole entire complete
all plain raw content contents verbatim body return markdown format line lines word words text texts json
exactly everything first last total pdf document file page pages aloud back give show only extracted native
layout order reading paragraph paragraphs textual result string
"""
READING_WORDS = frozenset(_READING.split())
"""Words of questions that want the text itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, the pages it comes from, the words it quotes, and what was weighed."""

    answer: Answer
    pages: tuple[int, ...] = ()
    quote: str = ""
    weighed: tuple[str, ...] = ()


Teller = Callable[[Asked, Reading], Told | None]
"""Answers a question from what was read, or leaves it to the next."""


def plain(asked: Asked) -> str:
    """Give the question in lower case on one line."""
    return " ".join(asked.question.lower().split())


def first_sentence(asked: Asked) -> str:
    """Give the sentence that says what is wanted; what follows is mostly about the form of the answer."""
    return re.split(r"[.!?](?:\s|$)|\n", asked.question.strip(), maxsplit=1)[0]


def subject(asked: Asked) -> list[str]:
    """Give the words that name what a question is about, without the pages it names."""
    return retrieval.content_words(paging.without_pages(first_sentence(asked).lower()))


def at(found: Reading, *pages: int) -> str:
    """Say on which page something stands."""
    return f" ({paging.listed(sorted(set(pages)))})" if found.numbered and pages else ""
