"""The outcome of an interaction, as the JSON that the database stores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from ..domain.engine import FunctionCall, OutputPart, Text, Thought, Usage
from ..domain.interaction import Failure, Outcome
from ..domain.media import Json, Modality

# An engine may say half of a surrogate pair: it has to come back as it was.
_ENCODING = ("utf-8", "surrogatepass")


def write_outcome(outcome: Outcome) -> bytes:
    """Encode an outcome; neighbours of one kind become one."""
    usage, failure = outcome.usage, outcome.failure
    written = {
        "status": outcome.status,
        "said": [_written(piece) for piece in _joined(outcome.said)],
        "usage": usage and _written_usage(usage),
        "failure": failure and {"status": failure.status, "message": failure.message},
    }
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode(*_ENCODING)


def read_outcome(written: bytes) -> Outcome:
    """Decode what `write_outcome` has encoded."""
    found = json.loads(written.decode(*_ENCODING))
    usage, failure = found["usage"], found["failure"]
    return Outcome(
        found["status"],
        tuple(_said(piece) for piece in found["said"]),
        usage and _usage(usage),
        failure and Failure(failure["status"], failure["message"]),
    )


def _joined(said: Sequence[OutputPart]) -> Iterator[OutputPart]:
    for kind, run in groupby(said, type):
        pieces = list(run)
        if kind is FunctionCall:
            yield from pieces
            continue
        text = "".join(piece.text for piece in pieces if not isinstance(piece, FunctionCall))
        yield Thought(text) if kind is Thought else Text(text)


def _written(piece: OutputPart) -> dict[str, Json]:
    match piece:
        case Text(text):
            return {"text": text}
        case Thought(text):
            return {"thought": text}
        case FunctionCall(name, arguments, call_id):
            return {"call": {"name": name, "arguments": dict(arguments), "id": call_id}}


def _said(written: dict[str, Json]) -> OutputPart:
    match written:
        case {"text": text}:
            return Text(text)
        case {"thought": text}:
            return Thought(text)
        case _:
            return FunctionCall(**written["call"])


def _written_usage(usage: Usage) -> dict[str, Json]:
    return {
        "prompt": {modality.value: tokens for modality, tokens in usage.prompt.items()},
        "candidates": usage.candidates,
        "thoughts": usage.thoughts,
        "engine_media": usage.engine_media,
    }


def _usage(written: dict[str, Json]) -> Usage:
    prompt = {Modality(name): tokens for name, tokens in written["prompt"].items()}
    return Usage(prompt, written["candidates"], written["thoughts"], written["engine_media"])
