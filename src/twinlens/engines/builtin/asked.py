"""What is asked of a medium, and how those who answer get to see a picture."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ...domain.engine_media import StillImage
from ...domain.media import Image
from ...domain.request import OutputFormat
from . import patterns
from .facts import FactName, Facts
from .intents import Intent

Picture = StillImage | Image
"""An image that was sent, or a frame or a page."""

Look = Callable[[Picture, frozenset[FactName]], Awaitable[Facts]]
"""Finds facts in a picture; what was found is remembered by the picture's digest."""

LookAtImage = Callable[[Image, frozenset[FactName]], Awaitable[Facts]]
"""Finds facts in one of very many images that are decoded already: a frame, a page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: what it is after, its words, the form of the answer, and the facts that matter to it.

    `wanted` is all facts where a schema may ask for anything.
    """

    intent: Intent
    question: str
    output: OutputFormat
    wanted: frozenset[FactName]

    @property
    def about_sound(self) -> bool:
        """Whether it is about what is to be heard: speech, music, a transcript."""
        return self.intent.topic == "sounds" or bool(re.search(patterns.HEARD, self.question.lower()))
