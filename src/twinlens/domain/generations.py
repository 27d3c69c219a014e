"""Model lines: the sets of contract rules, read off a model's name.

A line fixes budgets (`budget.py`), defaults and limits. Which engine answers is another matter: every
name that has a line is served by the engine the operator configured. docs/models.md shows the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LineName = Literal["gemini-1.5", "gemini-2.0", "gemini-2.5", "gemini-3"]


@dataclass(frozen=True, slots=True)
class Generation:
    """What the contract promises for one generation of models. Limits are in tokens or items.

    `logprobs` tells that they may be asked for; no engine here gives any.
    """

    name: LineName
    input_token_limit: int
    output_token_limit: int
    thinks: bool
    logprobs: bool = False
    max_images: int = 3600
    max_videos: int = 10


LINES: dict[LineName, Generation] = {
    line.name: line
    for line in (
        Generation("gemini-1.5", 1_048_576, 8_192, thinks=False, logprobs=True, max_videos=1),
        Generation("gemini-2.0", 1_048_576, 8_192, thinks=False, logprobs=True, max_videos=1),
        Generation("gemini-2.5", 1_048_576, 65_536, thinks=True),
        Generation("gemini-3", 1_048_576, 65_536, thinks=True),
    )
}


@dataclass(frozen=True, slots=True)
class Family:
    """Names of one form, as docs/models.md writes it: those of a line, or those of another service."""

    form: str
    pattern: re.Pattern[str]
    line: LineName | None = None
    service: str = ""

    @property
    def makes_images(self) -> bool:
        """Whether these models paint: they take no system instruction."""
        return self.service == _IMAGES


_IMAGES = "Image generation"
_REST = r"(?:-[a-z0-9.]+)*"
"""What may follow in any name: `-flash-lite-preview-09-2025`."""


def _served(form: str, begins: str, line: LineName, rest: str = _REST) -> Family:
    return Family(form, re.compile(begins + rest), line)


def _elsewhere(form: str, pattern: str, service: str) -> Family:
    return Family(form, re.compile(pattern), service=service)


def _with(word: str) -> str:
    """Match the names that have a word among those between their dashes."""
    return rf"(?:[a-z0-9.]+-)*{word}{_REST}"


FAMILIES = (
    # A word in the middle tells the service, whatever the name begins with: these come first.
    _elsewhere("…-tts…", _with("tts"), "Speech synthesis"),
    _elsewhere("…-image…", _with("image"), _IMAGES),
    _elsewhere("…nano-banana…", _with("nano-banana"), _IMAGES),
    _elsewhere("…-live…", _with("live"), "The Live API"),
    _elsewhere("…-native-audio…", _with("native-audio"), "The Live API"),
    _elsewhere("…-transcribe…", _with("transcribe"), "The transcription service"),
    _elsewhere("…embedding…", _with("(?:embedding|embeddinggemma)"), "Embedding"),
    _elsewhere("imagen-…", f"imagen{_REST}", _IMAGES),
    _elsewhere("veo-…", f"veo{_REST}", "Video generation"),
    _elsewhere("lyria-…", f"lyria{_REST}", "Music generation"),
    _served("gemini-3… and later", r"gemini-(?:[3-9]|[1-9][0-9]+)(?:\.[0-9]+)?", "gemini-3"),
    _served("gemini-2.5…", r"gemini-2\.(?:[5-9]|[1-9][0-9]+)", "gemini-2.5"),
    _served("gemini-2.0…", r"gemini-2(?:\.[0-4])?", "gemini-2.0"),
    _served("gemini-1.…", r"gemini-1(?:\.[0-9]+)?", "gemini-1.5"),
    _served(
        "gemini-{pro, flash, flash-lite}-latest", "gemini-(?:pro|flash|flash-lite)-latest", "gemini-3", ""
    ),
    _served("gemini-omni…", "gemini-omni", "gemini-3"),
    _served("gemini-robotics-er-1.5…", r"gemini-robotics-er-1(?:\.[0-5])?", "gemini-2.5"),
    _served("gemini-robotics-er…", "gemini-robotics-er", "gemini-3"),
    _served("gemini-exp…", "gemini-exp", "gemini-2.0"),
    _served("gemini-pro, gemini-pro-vision", "gemini-pro(?:-vision)?", "gemini-1.5", ""),
    _served("gemma-4… and later", r"gemma-(?:[4-9]|[1-9][0-9]+)(?:\.[0-9]+)?", "gemini-3"),
    _served("gemma-…", "gemma", "gemini-2.0", f"(?=-){_REST}"),
)
"""Every form of name that is known; the first that fits counts."""


def family_of(model: str) -> Family | None:
    """Return the family of a name without `models/`; None for a name of no known form."""
    return next((family for family in FAMILIES if family.pattern.fullmatch(model)), None)


def generation_of(model: str) -> Generation | None:
    """Return the model family of a name without `models/`; None for other services' and unknown names.

    `gemini-3.8-flash` is `gemini-3`, and so is what is newer than the documents; `gemini-1.0-pro` counts
    as `gemini-1.5`, the oldest.
    """
    family = family_of(model)
    return LINES[family.line] if family is not None and family.line else None
