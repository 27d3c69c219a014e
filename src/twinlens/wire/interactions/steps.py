"""The input of an interaction, in all its forms, to the turns of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ...domain.clip import MAX_FPS, Clip
from ...domain.media_types import content_of, with_parameters
from ...domain.request import (
    FunctionCall,
    FunctionResult,
    Inline,
    Level,
    Media,
    MediaKind,
    Part,
    Resolution,
    Role,
    Source,
    Text,
    Turn,
)
from ..contents import source_of
from .readers import PlainReading

Fields = Mapping[str, Any]
Said = Iterator[tuple[Role, Part]]

_LEVELS: Mapping[str | None, Level] = {
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "ultra_high": "ULTRA_HIGH",
}
_KINDS: Mapping[str, MediaKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "document": "document",
}
_CONTENTS = {"text", *_KINDS}


def turns(given: Any, path: str, reading: PlainReading) -> tuple[Turn, ...]:
    """Parse the conversation; neighbours of one role become one turn."""
    said = list(_said(given, path, reading))
    if not any(role == "user" and part != Text("") for role, part in said):
        reading.refuse(path, f"{path} must hold something of the user's: a text, a medium, a function_result")
    by_role = groupby(said, key=lambda one: one[0])
    return tuple(Turn(role, tuple(part for _, part in group)) for role, group in by_role)


def _said(given: Any, path: str, reading: PlainReading) -> Said:
    if not isinstance(given, list):
        yield from _by("user", given, path, reading)
        return
    for index, item in enumerate(given):
        below, kind = f"{path}[{index}]", item.get("type")
        if "role" in item:
            yield from _by(item["role"], item["content"], f"{below}.content", reading)
        elif kind in _STEPS:
            yield from _STEPS[kind](item, below, reading)
        elif kind in _CONTENTS:
            yield from _by("user", item, below, reading)


def _by(role: Role, contents: Any, path: str, reading: PlainReading) -> Said:
    for part in _parts(contents, path, reading):
        yield role, part


def _user_input(step: Fields, path: str, reading: PlainReading) -> Said:
    return _by("user", step.get("content"), f"{path}.content", reading)


def _model_output(step: Fields, path: str, reading: PlainReading) -> Said:
    return _by("model", step.get("content"), f"{path}.content", reading)


def _thought(step: Fields, _path: str, _reading: PlainReading) -> Said:
    for summary in step.get("summary", ()):
        yield "model", Text(summary["text"], thought=True)


def _function_call(step: Fields, path: str, reading: PlainReading) -> Said:
    reading.require(bool(step["name"]), f"{path}.name", "must not be empty")
    yield "model", FunctionCall(step["name"], step.get("arguments", {}), step["id"])


def _function_result(step: Fields, path: str, reading: PlainReading) -> Said:
    """Parse a function's result: an object, or texts and media. Its name may be left out."""
    result, media = step["result"], list[Media]()
    if not isinstance(result, dict):
        parts = list(_parts(result, f"{path}.result", reading))
        media = [part for part in parts if isinstance(part, Media)]
        texts = [part.text for part in parts if isinstance(part, Text)]
        result = {"output": texts[0] if len(texts) == 1 else texts} if texts else {}
    if step.get("is_error"):
        result = {"error": result.get("output", result)}
    yield "user", FunctionResult(step.get("name", ""), result, step["call_id"], tuple(media))


_STEPS: Mapping[str, Callable[[Fields, str, PlainReading], Said]] = {
    "user_input": _user_input,
    "model_output": _model_output,
    "thought": _thought,
    "function_call": _function_call,
    "function_result": _function_result,
}


def _parts(contents: Any, path: str, reading: PlainReading) -> Iterator[Part]:
    match contents:
        case str():
            yield Text(contents)
        case list():
            for index, content in enumerate(contents):
                yield from _part(content, f"{path}[{index}]", reading)
        case Mapping():
            yield from _part(contents, path, reading)


def _part(content: Fields, path: str, reading: PlainReading) -> Iterator[Part]:
    kind: str = content["type"]
    if kind == "text":
        yield Text(content["text"])
        return
    mime_type = content.get("mime_type") or None
    if mime_type:
        # Of sound with a header, the header tells both.
        rate, channels = content.get("sample_rate"), content.get("channels")
        mime_type = with_parameters(mime_type, rate=rate, channels=channels)
    _check_label(kind, mime_type, f"{path}.mime_type", reading)
    level = _LEVELS.get(content.get("resolution"))
    clip = _clip(content.get("processing"), f"{path}.processing", reading)
    source = _source(content, path, reading)
    yield Media(source, mime_type, path, Resolution(level) if level else None, clip, _KINDS[kind])


def _source(content: Fields, path: str, reading: PlainReading) -> Source:
    """Return where a medium comes from. Stored bytes go before all else."""
    held, uri = reading.media.popleft() if reading.media else None, content.get("uri")
    if isinstance(held, Inline) and uri:
        reading.refuse(path, f"{path} has both data and uri: send one of them")
    elif held is None and uri:
        if (source := source_of(uri)) is not None:
            return source
        shown, where = reading.quoted(uri), f"{path}.uri"
        reading.refuse(where, f"{where} must name a file or an https address, not {shown}")
    elif held is None:
        reading.refuse(path, f"{path} has no medium: send data or uri")
    return held or Inline(b"")


def _check_label(kind: str, mime_type: str | None, path: str, reading: PlainReading) -> None:
    """Refuse a label that is of another kind than the content: one of the two is a mistake."""
    claimed = content_of(mime_type)
    if claimed != kind and claimed:
        shown = reading.quoted(mime_type)
        reading.refuse(path, f"{path}: {shown} is not for type {kind} but for type {claimed}")


def _clip(processing: Fields | None, path: str, reading: PlainReading) -> Clip | None:
    """Parse which part of a recording is meant, validated as far as the request alone allows."""
    wanted = processing or {}
    begins, ends, fps = (wanted.get(name) for name in ("start_offset", "end_offset", "fps"))
    if begins is None and ends is None and fps is None:
        return None
    start, end = _moment(begins) or 0.0, _moment(ends)
    reading.require(start >= 0, f"{path}.start_offset", "must not be negative")
    if end is not None:
        reading.require(end > start, f"{path}.end_offset", "must be after start_offset")
    if fps is not None:
        reading.require(0 < fps <= MAX_FPS, f"{path}.fps", f"must be in the range (0, {MAX_FPS:g}]")
    return Clip(start, end, fps)


def _moment(seconds: str | None) -> float | None:
    return None if seconds is None else float(seconds.removesuffix("s"))
