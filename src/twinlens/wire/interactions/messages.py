"""The messages a request of the Interactions API is made of, as tables.

What each field means is decided in `steps.py` and `config.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..proto import (
    MAX_ITEMS,
    Field,
    Reader,
    Reading,
    anything,
    boolean,
    double,
    int32,
    member_path,
    repeated,
    string,
    struct,
)
from .contents import CONTENT, CONTENTS, contents
from .contents import MESSAGES as CONTENT_MESSAGES
from .readers import TYPE, PlainMessage, one_of, requiring, tagged, unset


def _ignored(name: str, read: Reader = anything) -> Field:
    """Declare a field that is accepted and changes nothing."""
    return Field(name, read, status="ignored")


def _refused(name: str, sentence: str) -> Field:
    return Field(name, unset(sentence), status="refused")


def _result(reading: Reading, value: Any, path: str) -> Any:
    """Parse a function's result: an object is the caller's own, a list holds contents."""
    if isinstance(value, dict):
        return reading.document.plain(value)
    return contents(reading, value, path)


USER_INPUT = PlainMessage("UserInputStep", TYPE, Field("content", contents))
MODEL_OUTPUT = PlainMessage("ModelOutputStep", TYPE, Field("content", contents), _ignored("error"))
THOUGHT = PlainMessage(
    "ThoughtStep",
    TYPE,
    _ignored("signature", string),
    Field("summary", repeated(tagged({"text": CONTENTS["text"]}))),
)
FUNCTION_CALL = PlainMessage(
    "FunctionCallStep",
    TYPE,
    Field("id", string),
    Field("name", string),
    Field("arguments", struct),
    _ignored("signature", string),
)
FUNCTION_RESULT = PlainMessage(
    "FunctionResultStep",
    TYPE,
    Field("callId", string),
    Field("name", string),
    Field("result", _result),
    Field("isError", boolean),
    _ignored("signature", string),
)
TURN = PlainMessage("Turn", Field("role", string), Field("content", contents))

_TOOLS_OF_SERVERS = (
    "google_search",
    "google_maps",
    "url_context",
    "code_execution",
    "file_search",
    "mcp_server_tool",
    "retrieval",
    "processing",
    "tool_search",
)
SERVER_STEPS = frozenset(f"{tool}_{half}" for tool in _TOOLS_OF_SERVERS for half in ("call", "result"))
"""Steps of tools that ran elsewhere: they say nothing here."""
STEPS: Mapping[str, Reader] = {
    "user_input": USER_INPUT,
    "model_output": MODEL_OUTPUT,
    "thought": THOUGHT,
    "function_call": requiring(FUNCTION_CALL, "id", "name"),
    "function_result": requiring(FUNCTION_RESULT, "call_id", "result"),
}
_FORMS: Mapping[str, str] = {
    **dict.fromkeys(CONTENTS, "a content"),
    **dict.fromkeys((*STEPS, *SERVER_STEPS), "a step"),
}
_ITEMS: Mapping[str, Reader] = {
    "a content": CONTENT,
    "a step": tagged(STEPS, silent=SERVER_STEPS),
    "a turn": tagged(dict.fromkeys(("user", "model"), requiring(TURN, "content")), tag="role"),
    "unknown": tagged({**CONTENTS, **STEPS}),
}


def _input(reading: Reading, value: Any, path: str) -> Any:
    """Parse the input: the user's contents, a list of steps, or a list of turns."""
    if (size := _size(value)) > MAX_ITEMS:
        reading.refuse(path, f"{path} has {size} contents and steps: at most {MAX_ITEMS} are allowed")
        return None
    if not isinstance(value, list):
        if (form := _form(value)) in ("a step", "a turn"):
            reading.refuse(path, f"{path} is {form}: send it in a list, [{{...}}]")
            return None
        return contents(reading, value, path)
    forms = [_form(one) for one in value]
    agreed = next((index for index, form in enumerate(forms) if form != "unknown"), 0)
    items: list[Any] = []
    for index, (form, one) in enumerate(zip(forms, value, strict=True)):
        below = f"{path}[{index}]"
        if form in (forms[agreed], "unknown"):
            items.append(_ITEMS[form](reading, one, below))
        else:
            reading.refuse(
                below,
                f"{below} is {form}, but {path}[{agreed}] is {forms[agreed]}: "
                "a list holds contents, steps or turns, never a mixture",
            )
    return items


def _size(given: Any) -> int:
    """Count contents and steps, before any of them is looked into."""
    if not isinstance(given, list):
        return 1
    below = (one for item in given if isinstance(item, dict) for one in item.values())
    return len(given) + sum(len(one) for one in below if isinstance(one, list))


def _form(item: Any) -> str:
    """Return which form an item of a list has."""
    kind = item.get("type") if isinstance(item, dict) else ""
    if kind is None:
        return "a turn" if "role" in item else "unknown"
    return _FORMS.get(kind, "unknown") if isinstance(kind, str) else "unknown"


_MODES = one_of("auto", "any", "none", "validated")
ALLOWED_TOOLS = PlainMessage("AllowedTools", Field("mode", _MODES), Field("tools", repeated(string)))
TOOL_CHOICE = PlainMessage("ToolChoiceConfig", Field("allowedTools", ALLOWED_TOOLS))


def _tool_choice(reading: Reading, value: Any, path: str) -> Any:
    return (TOOL_CHOICE if isinstance(value, dict) else _MODES)(reading, value, path)


GENERATION_CONFIG = PlainMessage(
    "InteractionGenerationConfig",
    Field("temperature", double),
    Field("topP", double),
    Field("maxOutputTokens", int32),
    Field("seed", int32),
    Field("stopSequences", repeated(string)),
    Field("thinkingLevel", one_of("minimal", "low", "medium", "high", "xhigh")),
    Field("thinkingSummaries", one_of("auto", "none")),
    Field("toolChoice", _tool_choice),
    _ignored("speechConfig"),
    _ignored("imageConfig"),
    _ignored("videoConfig"),
    _ignored("transcriptionConfig"),
)

_TEXT_FORMS = one_of("application/json", "text/plain")
TEXT_FORMAT = PlainMessage(
    "TextResponseFormat", TYPE, Field("mimeType", _TEXT_FORMS), Field("schema", struct)
)

FUNCTION = PlainMessage(
    "Function",
    TYPE,
    Field("name", string),
    Field("description", string),
    Field("parameters", struct),
    _ignored("deferLoading", boolean),
    _ignored("shortDescription", string),
)


_FUNCTION_TOOL = tagged({"function": requiring(FUNCTION, "name")})


def _tool(reading: Reading, value: Any, path: str) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind != "function":
        shown, where = reading.quoted(kind), f"{path}.type"
        reading.refuse(
            where,
            f"{where}: {shown} is not offered by twinlens, functions are: "
            'declare one of type "function", and answer its calls',
        )
        return None
    return _FUNCTION_TOOL(reading, value, path)


SAFETY_SETTING = PlainMessage(
    "InteractionSafetySetting",
    Field(
        "type",
        one_of(
            "hate_speech",
            "dangerous_content",
            "harassment",
            "sexually_explicit",
            "civic_integrity",
            "image_hate",
            "image_dangerous_content",
            "image_harassment",
            "image_sexually_explicit",
            "jailbreak",
        ),
    ),
    Field(
        "threshold",
        one_of("block_low_and_above", "block_medium_and_above", "block_only_high", "block_none", "off"),
    ),
    _ignored("method", one_of("severity", "probability")),
)
WEBHOOK_CONFIG = PlainMessage(
    "WebhookConfig",
    _refused("uris", "webhooks are not supported: nobody would be called"),
    _ignored("userMetadata", struct),
)


_MAX_LABELS, _MAX_LABEL = 64, 63


def _labels(reading: Reading, value: Any, path: str) -> dict[str, str] | None:
    if not isinstance(value, dict):
        reading.invalid(path, "", value)
        return None
    if len(value) > _MAX_LABELS:
        reading.refuse(path, f"{path}: at most {_MAX_LABELS} labels are allowed")
        return None
    return {key: _label(reading, key, one, member_path(reading, path, key)) for key, one in value.items()}


def _label(reading: Reading, key: str, value: Any, path: str) -> str:
    label = string(reading, value, path) or ""
    if max(len(key), len(label)) > _MAX_LABEL:
        reading.refuse(path, f"{path}: a label and its name have at most {_MAX_LABEL} characters each")
    return label


_NO_AGENTS = "agents are not served here"
CREATE_INTERACTION = PlainMessage(
    "CreateInteraction",
    Field("model", string),
    Field("agent", string, status="refused"),
    Field("input", _input),
    Field("systemInstruction", string),
    Field("generationConfig", GENERATION_CONFIG),
    Field("responseFormat", anything),
    Field("responseMimeType", _TEXT_FORMS),
    Field("responseModalities", repeated(one_of("text", "image", "audio", "video", "document"))),
    Field("tools", repeated(_tool)),
    Field("safetySettings", repeated(requiring(SAFETY_SETTING, "type", "threshold"))),
    Field("previousInteractionId", string),
    Field("store", boolean),
    Field("stream", boolean),
    Field("background", boolean),
    Field("serviceTier", one_of("flex", "standard", "priority", "deferred")),
    Field("labels", _labels),
    Field("webhookConfig", WEBHOOK_CONFIG),
    _refused("cachedContent", "explicit caching is not supported in interactions"),
    _refused("continuationToken", "this server gives no tokens to continue with"),
    _refused("agentConfig", _NO_AGENTS),
    _refused("environment", f"{_NO_AGENTS}, nor are environments"),
)

MESSAGES = (
    CREATE_INTERACTION,
    GENERATION_CONFIG,
    TOOL_CHOICE,
    ALLOWED_TOOLS,
    TEXT_FORMAT,
    FUNCTION,
    SAFETY_SETTING,
    WEBHOOK_CONFIG,
    TURN,
    USER_INPUT,
    MODEL_OUTPUT,
    THOUGHT,
    FUNCTION_CALL,
    FUNCTION_RESULT,
    *CONTENT_MESSAGES,
)
