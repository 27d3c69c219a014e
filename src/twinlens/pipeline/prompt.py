"""Turns and media into the parts an engine reads, and the tokens of their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from ..domain.engine import EngineRequest, EngineTurn, InputPart, Medium
from ..domain.rendering import compact, text_of
from ..domain.request import FunctionResult, Media, Part, Request, Text


def build(request: Request, media: Sequence[Medium]) -> EngineRequest:
    """Return the engine's request, media in place. Earlier thoughts and disabled tools are left out."""
    waiting = iter(media)
    return EngineRequest(
        model=request.model,
        turns=tuple(EngineTurn(turn.role, tuple(_parts(turn.parts, waiting))) for turn in request.turns),
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
    return total + (count(compact(request.tools)) if request.tools else 0)


def _parts(parts: tuple[Part, ...], media: Iterator[Medium]) -> Iterator[InputPart]:
    for part in _read(parts):
        match part:
            case Text(text):
                yield text
            case Media():
                yield next(media)
            case FunctionResult(name, response, call_id, own):
                yield FunctionResult(name, response, call_id, tuple(islice(media, len(own))))
            case _:
                yield part


def _read(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Return the parts that an engine sees."""
    return (part for part in parts if not (isinstance(part, Text) and part.thought))


def _text(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case Media():
            return ""
        case _:
            return text_of(part)
