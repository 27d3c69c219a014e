"""Write the Interaction resource: its input, its output, and its usage.

The input is written from what `reading.py` made of it, in this API's names. It is opened only as far
as media lie in it, and all else goes back byte by byte. `reading.py` numbers media in the same order.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
import pybase64

from ...domain.answer import is_heard
from ...domain.engine import FunctionCall, Text, Thought, Usage
from ...domain.interaction import Interaction, Outcome
from ...domain.media import Data, Modality
from .. import encoding
from .errors import write_failure
from .messages import SERVER_STEPS

Step = dict[str, Any]

ENDED_IN_TEXT = frozenset({"completed", "incomplete"})
"""Whose last step is text, be it empty: callers read it without looking."""

PIECE_BYTES = 3 * 256 * 1024
"""Of a medium, written at a time: a multiple of three, so that the letters of pieces can be joined."""

_MARK = f"bytes_{secrets.token_hex(16)}_"
"""No caller can guess it, so no text of theirs is ever taken for one."""
_MARKED = re.compile(rf"{_MARK}(\d+)_".encode())
MEDIA = frozenset({"image", "video", "audio", "document"})
_CONTENTS = MEDIA | {"text"}
_OUTPUT, _INPUT = "model_output", "user_input"
_SPEAKERS: Mapping[str, str] = {"user": _INPUT, "model": _OUTPUT}
_ECHOED = ("labels", "service_tier")


def write_interaction(
    interaction: Interaction, data: Mapping[int, Data] | None = None, *, include_input: bool = False
) -> bytes:
    """Write the resource in one piece: see `write_pieces`."""
    return b"".join(write_pieces(interaction, data, include_input=include_input))


def write_pieces(
    interaction: Interaction, data: Mapping[int, Data] | None = None, *, include_input: bool = False
) -> Iterator[bytes]:
    """Write the resource, piece by piece, so that its media need no room beside the store's.

    Without `data` it has the output's steps only. With it, be it empty, a finished one has the input's
    before them. `data` holds the bytes of media by their number: what it lacks is written without.
    `include_input` adds the input in the form it was sent.
    """
    sent = msgspec.json.decode(interaction.sent, type=dict[str, msgspec.Raw])
    steps = output_steps(interaction.outcome)
    out = head_of(interaction)
    asked = _Asked(data or {}).read(sent.get("input")) if include_input or data is not None else None
    if data is not None and interaction.finished:
        steps = [*_input_steps(asked), *steps]
    out["steps"] = steps
    if interaction.outcome.failure is not None:
        out["errors"] = [write_failure(interaction.outcome.failure)]
    out.update((name, sent[name]) for name in _ECHOED if name in sent)
    if include_input:
        out["input"] = asked
    yield from _pieces(out)


def inline_media(interaction: Interaction) -> tuple[int, ...]:
    """Return the indexes of the media whose bytes were sent in the request itself."""
    sent = msgspec.json.decode(interaction.sent, type=dict[str, msgspec.Raw])
    asked = _Asked({})
    asked.read(sent.get("input"))
    return tuple(asked.inline)


def head_of(interaction: Interaction) -> dict[str, Any]:
    """Return the first fields of the resource and of the last event of its stream."""
    out: dict[str, Any] = {
        "id": interaction.id,
        "object": "interaction",
        "model": interaction.model,
        "status": interaction.outcome.status,
        "created": time(interaction.created),
        "updated": time(interaction.updated),
    }
    if interaction.previous is not None:
        out["previous_interaction_id"] = interaction.previous
    if interaction.outcome.usage is not None:
        out["usage"] = _usage(interaction.outcome.usage)
    return out


def output_steps(outcome: Outcome) -> list[Step]:
    """Return the steps of an answer: neighbours of one kind are one step, except calls."""
    steps: list[Step] = []
    for kind, pieces in groupby(filter(is_heard, outcome.said), key=type):
        steps += _STEPS[kind](pieces)
    if outcome.status in ENDED_IN_TEXT:
        _end_in_text(steps)
    return steps


def call_step(call: FunctionCall, arguments: Mapping[str, Any]) -> Step:
    """Return the step of a function call."""
    return {"type": "function_call", "id": call.id, "name": call.name, "arguments": arguments}


def text_content(text: str) -> dict[str, str]:
    """Return a content that is text."""
    return {"type": "text", "text": text}


def time(moment: datetime) -> str:
    """Write a time, which is in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Base64:
    """Bytes that are written as letters."""

    __slots__ = ("data",)

    def __init__(self, data: Data) -> None:
        self.data = data


def _pieces(out: Mapping[str, Any]) -> Iterator[bytes]:
    """Encode all but the bytes, with a mark in the place of each; then put their letters there."""
    found: list[Data] = []

    def mark(value: object) -> str:
        assert isinstance(value, _Base64)
        found.append(value.data)
        return f"{_MARK}{len(found) - 1}_"

    first, *others = _MARKED.split(encoding.write(out, mark))
    yield first
    for number, after in zip(others[::2], others[1::2], strict=True):
        data = found[int(number)]
        for start in range(0, len(data), PIECE_BYTES):
            yield pybase64.b64encode(data[start : start + PIECE_BYTES])
        yield after


class _Asked:
    """Opens the input down to its media, counts them, and puts their bytes back where there are any."""

    def __init__(self, data: Mapping[int, Data]) -> None:
        self.inline: list[int] = []
        self._data = data
        self._count = 0

    def read(self, raw: msgspec.Raw | None) -> Any:
        """Return the input in the form in which it was sent."""
        value = _opened(raw)
        if not isinstance(value, list):
            return self._item(value)
        return [item for one in value if (item := self._item(_opened(one))) is not None]

    def _item(self, fields: Any) -> Any:
        """Convert a content, a step or a turn; None for an ignored one."""
        if not isinstance(fields, dict):
            return fields
        for name in ("type", "role"):
            if name in fields:
                fields[name] = _opened(fields[name])
        match fields.get("type"):
            case "user_input" | "model_output":
                fields["content"] = _listed(self.read(fields.get("content")))
            case None if "content" in fields:
                fields["content"] = self.read(fields["content"])
            case "function_call":
                fields.setdefault("arguments", {})
            case "function_result" if isinstance(_opened(fields.get("result")), list):
                fields["result"] = self.read(fields["result"])
            case kind if kind in MEDIA:
                self._restore(fields)
            case kind if kind in SERVER_STEPS:
                return None
        return fields

    def _restore(self, medium: dict[str, Any]) -> None:
        number = self._count
        self._count += 1
        if _opened(medium.get("uri")):
            return
        self.inline.append(number)
        if number in self._data:
            medium["data"] = _Base64(self._data[number])


def _opened(raw: msgspec.Raw | None) -> Any:
    """Parse one level of JSON; None where there is nothing, or only a number."""
    return None if raw is None else msgspec.json.decode(raw, type=_LEVEL)


_LEVEL = list[msgspec.Raw] | dict[str, msgspec.Raw] | str | float | bool | None


def _input_steps(asked: Any) -> list[Step]:
    """Return the input as steps: steps stay, turns become steps, contents between them are one."""
    steps: list[Step] = []
    loose: list[Any] | None = None
    for item in _listed(asked):
        if item.get("type") in _CONTENTS:
            if loose is None:
                loose = []
                steps.append({"type": _INPUT, "content": loose})
            loose.append(item)
        else:
            loose = None
            steps.append(_step(item))
    return steps


def _step(item: dict[str, Any]) -> Step:
    if "role" not in item:
        return item
    return {"type": _SPEAKERS[item["role"]], "content": _listed(item.get("content"))}


def _listed(said: Any) -> list[Any]:
    """Return contents of any form as a list."""
    match said:
        case None:
            return []
        case list():
            return said
        case _:
            return [text_content(said) if isinstance(said, str) else said]


def _end_in_text(steps: list[Step]) -> None:
    """Move trailing thoughts before the last text; add an empty text where there is no output."""
    kinds = [step["type"] for step in steps]
    if _OUTPUT not in kinds and "function_call" not in kinds:
        steps.append({"type": _OUTPUT, "content": [text_content("")]})
    elif kinds[-2:] == [_OUTPUT, "thought"]:
        steps.insert(-1, steps.pop())


def _joined(pieces: Iterable[Any]) -> list[dict[str, str]]:
    return [text_content("".join(piece.text for piece in pieces))]


_STEPS: Mapping[type, Any] = {
    Text: lambda pieces: [{"type": _OUTPUT, "content": _joined(pieces)}],
    Thought: lambda pieces: [{"type": "thought", "summary": _joined(pieces)}],
    FunctionCall: lambda calls: [call_step(call, call.arguments) for call in calls],
}


def _usage(usage: Usage) -> dict[str, Any]:
    out = {
        "total_input_tokens": usage.prompt_total,
        "total_output_tokens": usage.candidates,
        "total_thought_tokens": usage.thoughts,
        "total_cached_tokens": 0,
        "total_tool_use_tokens": 0,
        "total_tokens": usage.total,
    }
    spoken = {Modality.TEXT: usage.candidates}
    by_modality = {
        "input_tokens_by_modality": _details(usage.prompt),
        "output_tokens_by_modality": _details(spoken),
    }
    return out | {name: details for name, details in by_modality.items() if details}


def _details(tokens: Mapping[Modality, int]) -> list[dict[str, Any]]:
    return [
        {"modality": modality.value.lower(), "tokens": tokens[modality]}
        for modality in Modality
        if tokens.get(modality)
    ]
