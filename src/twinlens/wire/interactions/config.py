"""How an interaction is to be answered: thinking, functions, the form of the answer, safety."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ...domain.media import Json
from ...domain.request import OutputFormat, Thinking, ToolChoice
from ..generation import MAX_FUNCTIONS, NAMES, is_name
from ..json_schema import check_schema, is_type
from .messages import TEXT_FORMAT
from .readers import PlainReading

Fields = Mapping[str, Any]
Mime = Literal["text/plain", "application/json"]
Mode = Literal["AUTO", "ANY", "NONE", "VALIDATED"]

_KEYWORDS = frozenset({"properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "$defs"})
_MEDIA = ("image", "audio", "video")
_FORM = '{"type": "text", "mime_type": "application/json", "schema": {...}}'
_MODES: Mapping[str, Mode] = {"auto": "AUTO", "any": "ANY", "none": "NONE", "validated": "VALIDATED"}


def thinking(config: Fields) -> Thinking:
    """Parse how much to think, and whether to show thoughts."""
    level = config.get("thinking_level")
    return Thinking(config.get("thinking_summaries") == "auto", level=level.upper() if level else None)


def output(form: Any, mime_type: Mime | None, reading: PlainReading) -> OutputFormat:
    """Parse the form of the answer, in today's fields or the older `response_mime_type`."""
    path = "response_format"
    if isinstance(form, list):
        if len(form) != 1:
            reading.refuse(path, f"{path} must hold one entry, of type text: there is one answer, a text")
            return OutputFormat()
        form, path = form[0], f"{path}[0]"
    if form is None:
        return OutputFormat(mime_type or "text/plain")
    asked, where = _text_format(form, path, reading)
    schema, own = asked.get("schema"), asked.get("mime_type")
    mime = own or mime_type or ("text/plain" if schema is None else "application/json")
    if own and mime_type and own != mime_type:
        reading.refuse("response_mime_type", f"response_mime_type must be {path}.mime_type, or left out")
    if schema is not None:
        needs = "a schema needs the mime_type application/json"
        reading.require(mime == "application/json", where, needs)
        schema = check_schema(schema, where, reading)
    return OutputFormat(mime, schema)


def _text_format(form: Any, path: str, reading: PlainReading) -> tuple[Fields, str]:
    """Parse the format of the answer's text, and return it with the path of its schema."""
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return TEXT_FORMAT(reading, form, path) or {}, f"{path}.schema"
    if kind in _MEDIA:
        reading.refuse(f"{path}.type", f"{path}.type: {kind} output is not supported, answers are text")
    elif isinstance(form, dict) and (is_type(kind) or form.keys() & _KEYWORDS):
        return {"schema": form}, path
    elif isinstance(form, dict) and "json_schema" in form:
        reading.refuse(path, f"{path} has no json_schema: put the schema that it holds into {_FORM}")
    else:
        reading.refuse(path, f"{path} must be {_FORM}, or a JSON Schema; it is {reading.quoted(form)}")
    return {}, path


def check_modalities(modalities: list[str] | None, path: str, reading: PlainReading) -> None:
    """Refuse answers that are no text."""
    for index, modality in enumerate(modalities or ()):
        if modality != "text":
            below = f"{path}[{index}]"
            reading.refuse(below, f"{below}: {modality} output is not supported, answers are text")


def tools(declared: list[Fields] | None, path: str, reading: PlainReading) -> Json | None:
    """Parse the functions that the answer may call."""
    functions = list(declared or ())
    reading.require(len(functions) <= MAX_FUNCTIONS, path, f"at most {MAX_FUNCTIONS} functions are allowed")
    seen: set[str] = set()
    for index, function in enumerate(functions):
        name, below = function["name"], f"{path}[{index}].name"
        reading.require(bool(name), below, "must not be empty")
        reading.require(not name or is_name(name), below, f"Invalid function name. {NAMES}")
        reading.require(name not in seen, below, "two functions have this name")
        seen.add(name)
    return [
        _function(one, f"{path}[{index}].parameters", reading) for index, one in enumerate(functions)
    ] or None


def _function(function: Fields, path: str, reading: PlainReading) -> Json:
    out = {key: function[key] for key in ("name", "description") if key in function}
    if "parameters" in function:
        out["parameters"] = check_schema(function["parameters"], path, reading, declared=True)
    return out


def tool_choice(config: Fields, path: str, declared: Json | None, reading: PlainReading) -> ToolChoice:
    """Parse whether functions are to be called, and which of those that were declared."""
    chosen, path = config.get("tool_choice", "auto"), f"{path}.tool_choice"
    if isinstance(chosen, dict):
        chosen, path = chosen.get("allowed_tools", {}), f"{path}.allowed_tools"
        choice = ToolChoice(_MODES[chosen.get("mode", "auto")], tuple(chosen.get("tools", ())))
    else:
        choice = ToolChoice(_MODES[chosen])
    names = {function["name"] for function in declared or ()}
    for index, name in enumerate(choice.allowed):
        reading.require(
            name in names, f"{path}.tools[{index}]", f"{reading.quoted(name)} is not among the tools"
        )
    reading.require(choice.mode != "ANY" or bool(names), path, "any needs functions in tools")
    return choice


def check_safety(settings: list[Fields] | None, path: str, reading: PlainReading) -> None:
    """Check that each category is set once."""
    seen: set[str] = set()
    for index, setting in enumerate(settings or ()):
        below = f"{path}[{index}].type"
        reading.require(setting["type"] not in seen, below, f"{setting['type']} is set more than once")
        seen.add(setting["type"])
