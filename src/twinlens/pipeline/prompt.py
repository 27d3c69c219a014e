"""Turns and media into the ordered segments an engine reads, and the tokens of their texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from ..domain.engine import EngineRequest, EngineTurn, FunctionCall, Medium, Segment
from ..domain.request import Media, Part, Request, Structured, Text

_KEYS = ("id", "name", "args", "response")
"""Of calls and their responses: they stand in this order, whatever order a client or its SDK sent them in."""


def build(request: Request, media: Sequence[Medium]) -> EngineRequest:
    """Put the media in the places of their parts. Earlier thoughts are left out, and tools not to be used."""
    waiting = iter(media)
    return EngineRequest(
        model=request.model,
        turns=tuple(EngineTurn(turn.role, tuple(_segments(turn.parts, waiting))) for turn in request.turns),
        system="\n".join(part.text for part in request.system),
        sampling=request.sampling,
        thinking=request.thinking,
        output=request.output,
        tools=None if request.tool_choice.mode == "NONE" else request.tools,
        tool_choice=request.tool_choice,
    )


def count_text(request: Request, count: Callable[[str], int]) -> int:
    """Count all that is text in a request: instructions, turns, and JSON as it would be written.

    What no engine sees is not counted: earlier thoughts.
    """
    total = sum(count(part.text) for part in request.system)
    for turn in request.turns:
        total += sum(count(_text(part)) for part in _read(turn.parts) if not isinstance(part, Media))
    return total + (count(_compact(request.tools)) if request.tools else 0)


def text_of(call: FunctionCall) -> str:
    """Write a function call as the text that it counts as."""
    return _compact({"name": call.name, "args": call.arguments})


def _segments(parts: tuple[Part, ...], media: Iterator[Medium]) -> Iterator[Segment]:
    for part in _read(parts):
        yield next(media) if isinstance(part, Media) else _text(part)


def _read(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Give the parts that an engine sees."""
    return (part for part in parts if not (isinstance(part, Text) and part.thought))


def _text(part: Text | Structured) -> str:
    if isinstance(part, Text):
        return part.text
    ordered = {key: part.value[key] for key in _KEYS if key in part.value}
    return f"{part.name}: {_compact(ordered | part.value)}"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
