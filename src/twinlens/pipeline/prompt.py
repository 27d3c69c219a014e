"""Turns and media into the ordered segments an engine reads, and the tokens of their texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from ..domain.engine import EngineRequest, EngineTurn, Medium, Segment
from ..domain.request import Media, Part, Request, Structured, Text


def build(request: Request, media: Sequence[Medium]) -> EngineRequest:
    """Put the media in the places of their parts. Earlier thoughts are left out."""
    waiting = iter(media)
    return EngineRequest(
        model=request.model,
        turns=tuple(EngineTurn(turn.role, tuple(_segments(turn.parts, waiting))) for turn in request.turns),
        system="\n".join(part.text for part in request.system),
        sampling=request.sampling,
        thinking=request.thinking,
        output=request.output,
        tools=request.tools,
    )


def count_text(request: Request, count: Callable[[str], int]) -> int:
    """Count all that is text in a request: instructions, turns, and JSON as it would be written."""
    total = sum(count(part.text) for part in request.system)
    for turn in request.turns:
        total += sum(count(_text(part)) for part in turn.parts if not isinstance(part, Media))
    return total + (count(_compact(request.tools)) if request.tools else 0)


def _segments(parts: tuple[Part, ...], media: Iterator[Medium]) -> Iterator[Segment]:
    for part in parts:
        if isinstance(part, Media):
            yield next(media)
        elif not (isinstance(part, Text) and part.thought):
            yield _text(part)


def _text(part: Text | Structured) -> str:
    return part.text if isinstance(part, Text) else f"{part.name}: {_compact(part.value)}"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
