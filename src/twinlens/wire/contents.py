"""Contents of a request: turns of a conversation and their parts, from messages to the domain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..domain.clip import MAX_FPS, Clip
from ..domain.conversation import misplaced_call
from ..domain.request import (
    CodeExecutionResult,
    ExecutableCode,
    FileRef,
    FunctionCall,
    FunctionResult,
    Inline,
    Media,
    Part,
    Resolution,
    Role,
    Source,
    Text,
    Turn,
    Url,
)
from .proto import Reading

Fields = Mapping[str, Any]

ROLES: Mapping[str, Role] = {
    "": "user",
    "user": "user",
    "model": "model",
    "function": "user",
    "tool": "user",
}
_STORED = re.compile(
    r"(?:https?://[^/\s]+/(?:\S*/)?v1(?:alpha|beta)?/)?files/([a-z0-9-]{1,40})/?(?:[?#]\S*)?",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^/\s]+\S*", re.IGNORECASE)
_IGNORED = ("tool_call", "tool_response")


def turns(contents: list[Fields] | None, path: str, reading: Reading) -> tuple[Turn, ...]:
    """Parse the conversation."""
    reading.require(bool(contents), path, "contents is not specified")
    return tuple(_turn(content, f"{path}[{index}]", reading) for index, content in enumerate(contents or ()))


def check_calls(conversation: tuple[Turn, ...], path: str, reading: Reading) -> None:
    """Check that calls of functions are where they may be, and that each is answered."""
    wrong = misplaced_call(conversation)
    if wrong:
        reading.refuse(f"{path}[{wrong.turn}]", wrong.sentence)


def instruction(content: Fields | None, path: str, reading: Reading) -> tuple[Text, ...]:
    """Parse the system instruction: texts, whatever role they carry."""
    if content is None:
        return ()
    found = _parts(content, path, reading)
    texts = tuple(part for part in found if isinstance(part, Text))
    reading.require(len(texts) == len(found), f"{path}.parts", "only text is supported here")
    return texts


def _turn(content: Fields, path: str, reading: Reading) -> Turn:
    role = ROLES.get(content.get("role", ""))
    if role is None:
        reading.refuse(f"{path}.role", "Please use a valid role: user, model.")
    return Turn(role or "user", tuple(_parts(content, path, reading)))


def _parts(content: Fields, path: str, reading: Reading) -> list[Part]:
    parts = content.get("parts")
    reading.require(bool(parts), f"{path}.parts", "contents.parts must not be empty.")
    return [
        part
        for index, fields in enumerate(parts or ())
        for part in _part(fields, f"{path}.parts[{index}]", reading)
    ]


def _part(fields: Fields, path: str, reading: Reading) -> Iterator[Part]:
    """Parse one part; yield nothing for an ignored one."""
    clip = _clip(fields, path, reading)
    if "text" in fields:
        yield Text(fields["text"], thought=fields.get("thought", False))
        return
    if "inline_data" in fields or "file_data" in fields:
        yield from _media(fields, path, clip, reading)
        return
    for member, read in _VALUES.items():
        if member in fields:
            yield read(fields[member], f"{path}.{member}", reading)
            return
    known = any(member in fields for member in _IGNORED)
    reading.require(known, f"{path}.data", "required oneof field 'data' must have one initialized field")


def _call(fields: Fields, path: str, reading: Reading) -> FunctionCall:
    return FunctionCall(_name(fields, path, reading), fields.get("args", {}), fields.get("id", ""))


def _result(fields: Fields, path: str, reading: Reading) -> FunctionResult[Media]:
    name = _name(fields, path, reading)
    below = ((one, f"{path}.parts[{index}]") for index, one in enumerate(fields.get("parts", ())))
    media = [found for one, at in below for found in _media(one, at, _clip(one, at, reading), reading)]
    return FunctionResult(name, fields.get("response"), fields.get("id", ""), tuple(media))


def _name(fields: Fields, path: str, reading: Reading) -> str:
    name: str = fields.get("name", "")
    reading.require(bool(name), f"{path}.name", "Name cannot be empty.")
    return name


def _code(fields: Fields, _path: str, _reading: Reading) -> ExecutableCode:
    return ExecutableCode(fields.get("language"), fields.get("code"))


def _code_result(fields: Fields, _path: str, _reading: Reading) -> CodeExecutionResult:
    return CodeExecutionResult(fields.get("outcome"), fields.get("output"))


_VALUES: Mapping[str, Callable[[Fields, str, Reading], Part]] = {
    "function_call": _call,
    "function_response": _result,
    "executable_code": _code,
    "code_execution_result": _code_result,
}
"""Data members that are neither texts nor media."""


def _media(fields: Fields, path: str, clip: Clip | None, reading: Reading) -> Iterator[Media]:
    resolution = _resolution(fields.get("media_resolution"), path, reading)
    if "inline_data" in fields:
        blob, below = fields["inline_data"], f"{path}.inline_data"
        mime_type = blob.get("mime_type")
        reading.require(bool(mime_type), f"{below}.mime_type", "The mimeType parameter is required.")
        reading.require(bool(blob.get("data")), f"{below}.data", "The data parameter is required.")
        yield Media(Inline(blob.get("data", b"")), mime_type, path, resolution, clip)
    elif "file_data" in fields:
        file = fields["file_data"]
        uri = file.get("file_uri", "")
        source = source_of(uri)
        if source is not None:
            yield Media(source, file.get("mime_type") or None, path, resolution, clip)
            return
        shown = uri if len(uri) <= 200 else f"{uri[:200]}..."
        reading.refuse(f"{path}.file_data.file_uri", f"Invalid or unsupported file uri: {shown}")
    else:
        reading.require(False, f"{path}.data", "required oneof field 'data' must have one initialized field")


def source_of(uri: str) -> Source | None:
    """Return what a file URI points to: a stored file under any host, or a URL to fetch; else None."""
    stored = _STORED.fullmatch(uri)
    if stored:
        return FileRef(stored[1])
    return Url(uri) if _URL.fullmatch(uri) else None


def _resolution(fields: Fields | None, path: str, reading: Reading) -> Resolution | None:
    if fields is None:
        return None
    tokens = fields.get("num_tokens")
    below = f"{path}.media_resolution.num_tokens"
    reading.require(tokens is None or tokens > 0, below, "num_tokens must be positive")
    return Resolution(fields.get("level", "UNSPECIFIED"), tokens)


def _clip(part: Fields, path: str, reading: Reading) -> Clip | None:
    """Parse which part of a recording is meant, validated as far as the request alone allows."""
    fields, path = part.get("video_metadata"), f"{path}.video_metadata"
    if fields is None:
        return None
    start, end, fps = fields.get("start_offset", 0.0), fields.get("end_offset"), fields.get("fps")
    reading.require(start >= 0, f"{path}.start_offset", "start_offset must not be negative")
    if end is not None:
        reading.require(end > start, f"{path}.end_offset", "end_offset must be after start_offset")
    if fps is not None:
        reading.require(0 < fps <= MAX_FPS, f"{path}.fps", f"fps must be in the range (0, {MAX_FPS:g}]")
    return Clip(start, end, fps)
