"""generationConfig and its kin: how to choose, how much to think, and what form the answer has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from ..domain.errors import InvalidArgument, PermissionDenied
from ..domain.generations import Generation
from ..domain.media import Json
from ..domain.request import OutputFormat, Sampling, Thinking, ToolChoice
from . import schema
from .json_schema import check_schema
from .proto import Reading

Fields = Mapping[str, Any]
Mime = Literal["text/plain", "application/json", "text/x.enum"]
Mode = Literal["AUTO", "ANY", "NONE", "VALIDATED"]

MAX_STOP_SEQUENCES = 5
MAX_FUNCTIONS = 512
NAMES = (
    "Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), "
    "dots (.), colons (:), or dashes (-), with a maximum length of 64."
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
RANGES: Mapping[str, tuple[float, float, str]] = {
    "temperature": (0, 2, "must be in the range [0.0, 2.0]"),
    "top_p": (0, 1, "must be in the range [0.0, 1.0]"),
    "top_k": (1, 1 << 31, "must be positive"),
    "candidate_count": (1, 8, "must be in the range [1, 8]"),
    "max_output_tokens": (1, 1 << 31, "must be positive"),
    "presence_penalty": (-2, 2, "must be in the range [-2.0, 2.0]"),
    "frequency_penalty": (-2, 2, "must be in the range [-2.0, 2.0]"),
    "logprobs": (0, 20, "must be in the range [0, 20]"),
}
_FORMS: Mapping[str, Mime] = {
    "text/plain": "text/plain",
    "application/json": "application/json",
    "text/x.enum": "text/x.enum",
}
_SCHEMAS = ("response_schema", "response_json_schema")
_ENUM_TYPES = ("string", "integer", "number")
_CACHED = "cachedContents/"
_MODES: Mapping[str, Mode] = {
    "MODE_UNSPECIFIED": "AUTO",
    "AUTO": "AUTO",
    "ANY": "ANY",
    "NONE": "NONE",
    "VALIDATED": "VALIDATED",
}
_BINDING = ("ANY", "VALIDATED")
"""Modes in which calls are held to the names that are allowed."""


def sampling(config: Fields, path: str, line: Generation, reading: Reading) -> Sampling:
    """Parse how to sample and when to stop, within the model family's output limit."""
    for name, (least, most, sentence) in RANGES.items():
        if name in config:
            reading.require(least <= config[name] <= most, f"{path}.{name}", f"{name} {sentence}")
    stops = tuple(config.get("stop_sequences", ()))
    below = f"{path}.stop_sequences"
    reading.require(
        len(stops) <= MAX_STOP_SEQUENCES, below, f"at most {MAX_STOP_SEQUENCES} stop sequences are allowed"
    )
    reading.require(all(stops), below, "a stop sequence must not be empty")
    limit = config.get("max_output_tokens")
    return Sampling(
        temperature=config.get("temperature"),
        top_p=config.get("top_p"),
        top_k=config.get("top_k"),
        seed=config.get("seed"),
        presence_penalty=config.get("presence_penalty"),
        frequency_penalty=config.get("frequency_penalty"),
        max_output_tokens=None if limit is None else min(limit, line.output_token_limit),
        stop_sequences=stops,
        candidates=config.get("candidate_count", 1),
    )


def check_output(config: Fields, path: str, model: str, line: Generation, reading: Reading) -> None:
    """Refuse forms of output that no engine here gives."""
    if set(config.get("response_modalities", ())) - {"TEXT", "MODALITY_UNSPECIFIED"}:
        reading.refuse(f"{path}.response_modalities", "Multi-modal output is not supported.")
    if config.get("response_logprobs"):
        if not line.logprobs:
            reading.refuse(f"{path}.response_logprobs", f"Logprobs is not enabled for models/{model}")
    elif "logprobs" in config:
        sentence = "logprobs is only allowed when response_logprobs is true"
        reading.require(False, f"{path}.logprobs", sentence)


def instruction_refused(model: str) -> InvalidArgument:
    """Return the error for a system instruction to a model that generates images."""
    return InvalidArgument(
        f"Developer instruction is not enabled for models/{model}", field="system_instruction"
    )


def thinking(config: Fields, path: str, reading: Reading) -> Thinking:
    """Parse the thinking settings. Budget −1 leaves the amount to the engine, 0 turns thinking off."""
    fields = config.get("thinking_config", {})
    budget = fields.get("thinking_budget")
    level = fields.get("thinking_level")
    if level == "THINKING_LEVEL_UNSPECIFIED":
        level = None
    below = f"{path}.thinking_config"
    if budget is not None and level is not None:
        reading.refuse(below, "You can only set only one of thinking budget and thinking level.")
    sentence = "thinking_budget must be -1, 0 or positive"
    reading.require(budget is None or budget >= -1, f"{below}.thinking_budget", sentence)
    return Thinking(fields.get("include_thoughts", False), budget, level)


def output(config: Fields, path: str, reading: Reading) -> OutputFormat:
    """Parse the form of the answer."""
    mime = config.get("response_mime_type") or "text/plain"
    given = [name for name in _SCHEMAS if name in config]
    form = _FORMS.get(mime)
    if form is None:
        allowed = ", ".join(_FORMS)
        reading.require(False, f"{path}.response_mime_type", f"{_shown(mime)} is not one of {allowed}")
        return OutputFormat()
    if len(given) == 2:
        reading.require(False, f"{path}.{given[1]}", f"{given[0]} and {given[1]} are mutually exclusive")
        return OutputFormat()
    if not given:
        reading.require(
            form != "text/x.enum", f"{path}.response_schema", f"{form} needs a schema with an enum"
        )
        return OutputFormat(form)
    below = f"{path}.{given[0]}"
    if form == "text/plain":
        sentence = "a schema needs response_mime_type application/json or text/x.enum"
        reading.require(False, below, sentence)
        return OutputFormat()
    asked = _schema(config[given[0]], below, reading)
    return OutputFormat(form, _enum(asked, below, reading) if form == "text/x.enum" else asked)


def _schema(value: Any, path: str, reading: Reading) -> Json:
    if path.endswith(".response_schema"):
        return schema.normalise(value, path, reading)
    return check_schema(value, path, reading)


def _enum(asked: Json, path: str, reading: Reading) -> Json:
    """Reduce a schema to the strings one of which the answer is."""
    members = asked.get("enum") if isinstance(asked, dict) else None
    fits = isinstance(members, list) and bool(members) and asked.get("type", "string") in _ENUM_TYPES
    reading.require(fits, path, "text/x.enum needs a schema of type STRING with an enum")
    return {"type": "string", "enum": [str(member) for member in members]} if fits and members else asked


def tools(declared: list[Fields] | None, path: str, reading: Reading) -> Json | None:
    """Parse function declarations, their schemas as JSON Schema."""
    functions: list[Json] = []
    names: set[str] = set()
    for index, tool in enumerate(declared or ()):
        for number, function in enumerate(tool.get("function_declarations", ())):
            below = f"{path}[{index}].function_declarations[{number}]"
            functions.append(_function(function, below, reading))
            name = function.get("name", "")
            if name in names:
                reading.refuse(f"{below}.name", f"Duplicate function declaration found: {_shown(name)}")
            names.add(name)
    reading.require(len(functions) <= MAX_FUNCTIONS, path, f"at most {MAX_FUNCTIONS} functions are allowed")
    return functions or None


def tool_choice(fields: Fields, declared: Json | None, path: str, reading: Reading) -> ToolChoice:
    """Parse whether functions are to be called, and which; `declared` is what `tools` returned."""
    config, path = fields.get("function_calling_config", {}), f"{path}.function_calling_config"
    mode = _MODES[config.get("mode", "MODE_UNSPECIFIED")]
    allowed = tuple(config.get("allowed_function_names", ()))
    if mode in _BINDING:
        known = {function.get("name") for function in declared or ()}
        reading.require(mode != "ANY" or bool(known), f"{path}.mode", "mode ANY needs function declarations")
        for index, name in enumerate(allowed):
            sentence = f"{_shown(name)} is not declared in tools"
            reading.require(name in known, f"{path}.allowed_function_names[{index}]", sentence)
    return ToolChoice(mode, allowed)


def check_safety(settings: list[Fields] | None, path: str, reading: Reading) -> None:
    """Check that each category is named, and once."""
    seen: set[str] = set()
    for index, setting in enumerate(settings or ()):
        category = setting.get("category", "UNSPECIFIED")
        where = f"{path}[{index}].category"
        reading.require(category != "UNSPECIFIED", where, "a category must be specified")
        reading.require(category not in seen, where, f"HARM_CATEGORY_{category} is set more than once")
        seen.add(category)


def check_cache(name: str | None) -> None:
    """Refuse cached content: there is none."""
    if not name:
        return
    if name.startswith(_CACHED) and "/" not in name.removeprefix(_CACHED):
        raise PermissionDenied("CachedContent not found (or permission denied)")
    raise InvalidArgument(f"Invalid CachedContent name: {_shown(name)}", field="cached_content")


def _function(fields: Fields, path: str, reading: Reading) -> Json:
    reading.require(is_name(fields.get("name", "")), f"{path}.name", f"Invalid function name. {NAMES}")
    out: dict[str, Json] = {key: fields[key] for key in ("name", "description") if key in fields}
    for key in ("parameters", "response"):
        if key in fields:
            out[key] = schema.normalise(fields[key], f"{path}.{key}", reading)
        elif f"{key}_json_schema" in fields:
            below = f"{path}.{key}_json_schema"
            out[key] = check_schema(fields[f"{key}_json_schema"], below, reading)
    return out


def is_name(name: str) -> bool:
    """Whether this is a valid name of a function."""
    return _NAME.fullmatch(name) is not None


def _shown(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."
