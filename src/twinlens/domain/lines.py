"""Model lines: the sets of contract rules, read off a model's name.

A line fixes budgets (`budget.py`), defaults and limits. Which engine answers is another matter:
any well-formed `gemini-*` name is served by the engine the operator configured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LineName = Literal["gemini-1.5", "gemini-2.0", "gemini-2.5", "gemini-3"]


@dataclass(frozen=True, slots=True)
class Line:
    """What the contract promises for one generation of models. Limits are in tokens or items."""

    name: LineName
    input_token_limit: int
    output_token_limit: int
    thinks: bool
    max_images: int = 3600
    max_videos: int = 10


LINES: dict[LineName, Line] = {
    line.name: line
    for line in (
        Line("gemini-1.5", 1_048_576, 8_192, thinks=False, max_videos=1),
        Line("gemini-2.0", 1_048_576, 8_192, thinks=False, max_videos=1),
        Line("gemini-2.5", 1_048_576, 65_536, thinks=True),
        Line("gemini-3", 1_048_576, 65_536, thinks=True),
    )
}

_LATEST = re.compile(r"gemini-(?:pro|flash|flash-lite)-latest")
_GEMINI = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?:-[a-z0-9.]+)*")


def line_of(model: str) -> Line | None:
    """Read the line off a `gemini-*` name; None for a name that is not well-formed.

    `gemini-3.8-flash` is `gemini-3`; `gemini-1.0-pro` counts as `gemini-1.5`, the oldest line, and
    `gemini-flash-latest` as the newest.
    """
    if _LATEST.fullmatch(model):
        return LINES["gemini-3"]
    match = _GEMINI.fullmatch(model)
    if match is None:
        return None
    version = (int(match[1]), int(match[2] or 0))
    if version >= (3, 0):
        return LINES["gemini-3"]
    if version >= (2, 5):
        return LINES["gemini-2.5"]
    if version >= (2, 0):
        return LINES["gemini-2.0"]
    return LINES["gemini-1.5"]
