"""The Gemini dialect: generateContent, streamGenerateContent and countTokens, to the domain and back.

Reading has two steps. The tables of `messages.py` say what is well-formed; then the rules of the
contract are checked and the values become a `Request`. What is wrong is refused together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.answer import Answer, Candidate
from ..domain.engine import FunctionCall, OutputPart, Text, Thought, Usage
from ..domain.errors import InvalidArgument
from ..domain.generations import Generation
from ..domain.media import Modality
from ..domain.request import Request
from . import contents, encoding, generation, json
from .messages import COUNT_TOKENS_REQUEST, GENERATE_CONTENT_REQUEST
from .proto import Message, Reading

Body = bytes | bytearray | memoryview
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """What every piece of one answer repeats. `engine_usage` adds what the engine really spent."""

    model_version: str
    response_id: str
    engine_usage: bool = False


def read_generate(body: Body, model: str, line: Generation) -> Request:
    """Parse a GenerateContentRequest for a model, whose name is without `models/`."""
    reading, fields = _read(body, GENERATE_CONTENT_REQUEST)
    request = _request(fields, "", model, line, reading)
    reading.check()
    return request


def read_count(body: Body, model: str, line: Generation) -> Request:
    """Parse a CountTokensRequest: bare contents, or a whole generateContentRequest."""
    reading, fields = _read(body, COUNT_TOKENS_REQUEST)
    whole = fields.get("generate_content_request")
    if whole is None:
        request = Request(model=model, turns=contents.turns(fields.get("contents"), "contents", reading))
    elif "contents" in fields:
        raise InvalidArgument(
            "contents and generateContentRequest are mutually exclusive.", field="generate_content_request"
        )
    else:
        _check_model(whole.get("model", ""), model, reading)
        request = _request(whole, "generate_content_request.", model, line, reading)
    reading.check()
    return request


def check_instruction(body: Body, model: str) -> None:
    """Refuse a request with a system instruction, whatever else is in it: the model makes images."""
    value = json.read(body).value
    if isinstance(value, dict) and (value.get("systemInstruction") or value.get("system_instruction")):
        raise generation.instruction_refused(model)


def write_answer(answer: Answer, head: ResponseHead) -> bytes:
    """Write a GenerateContentResponse: a whole answer, or one piece of a stream."""
    out: dict[str, Any] = {}
    if answer.candidates:
        out["candidates"] = [_candidate(candidate) for candidate in answer.candidates]
    if answer.blocked is not None:
        out["promptFeedback"] = {"blockReason": answer.blocked.reason}
    out["usageMetadata"] = _usage(answer.usage, head.engine_usage)
    out["modelVersion"] = head.model_version
    out["responseId"] = head.response_id
    return encoding.write(out)


def write_count(usage: Usage) -> bytes:
    """Write a CountTokensResponse."""
    out: dict[str, Any] = {"totalTokens": usage.prompt_total}
    details = _details(usage.prompt)
    return encoding.write(out | ({"promptTokensDetails": details} if details else {}))


def _read(body: Body, message: Message) -> tuple[Reading, Fields]:
    document = json.read(body)
    reading = Reading(document, message.name)
    if not isinstance(document.value, dict):
        raise InvalidArgument(
            'Invalid JSON payload received. Unknown name "": Root element must be a message.'
        )
    fields = message(reading, document.value, "")
    reading.check()
    assert fields is not None
    return reading, fields


def _request(fields: Fields, prefix: str, model: str, line: Generation, reading: Reading) -> Request:
    generation.check_cache(fields.get("cached_content"))
    generation.check_safety(fields.get("safety_settings"), f"{prefix}safety_settings", reading)
    config, path = fields.get("generation_config", {}), f"{prefix}generation_config"
    generation.check_output(config, path, model, line, reading)
    tools = generation.tools(fields.get("tools"), f"{prefix}tools", reading)
    turns = contents.turns(fields.get("contents"), f"{prefix}contents", reading)
    contents.check_calls(turns, f"{prefix}contents", reading)
    return Request(
        model=model,
        turns=turns,
        system=contents.instruction(fields.get("system_instruction"), f"{prefix}system_instruction", reading),
        resolution=config.get("media_resolution", "UNSPECIFIED"),
        sampling=generation.sampling(config, path, line, reading),
        thinking=generation.thinking(config, path, reading),
        output=generation.output(config, path, reading),
        tools=tools,
        tool_choice=generation.tool_choice(
            fields.get("tool_config", {}), tools, f"{prefix}tool_config", reading
        ),
    )


def _check_model(named: str, model: str, reading: Reading) -> None:
    matches = named.removeprefix("models/") in ("", model)
    reading.require(matches, "generate_content_request.model", f"the model must be models/{model}")


def _candidate(candidate: Candidate) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    if candidate.parts:
        content = {"parts": [_part(part) for part in candidate.parts], "role": "model"}
    out: dict[str, Any] = {"content": content}
    if candidate.finish is not None:
        out["finishReason"] = candidate.finish.reason
    out["index"] = candidate.index
    if candidate.finish is not None and candidate.finish.message:
        out["finishMessage"] = candidate.finish.message
    return out


def _part(part: OutputPart) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"text": text}
        case Thought(text):
            return {"text": text, "thought": True}
        case FunctionCall(name, arguments, id_):
            return {"functionCall": {"id": id_, "name": name, "args": dict(arguments)}}


def _usage(usage: Usage, engine_usage: bool) -> dict[str, Any]:
    """Write the accounting. What is zero or empty is left out."""
    texts = [{"modality": "TEXT", "tokenCount": usage.candidates}] if usage.candidates else []
    out = {
        "promptTokenCount": usage.prompt_total,
        "candidatesTokenCount": usage.candidates,
        "thoughtsTokenCount": usage.thoughts,
        "totalTokenCount": usage.total,
        "promptTokensDetails": _details(usage.prompt),
        "candidatesTokensDetails": texts,
    }
    if engine_usage:
        out["engineUsage"] = _engine_usage(usage)
    return {name: value for name, value in out.items() if value}


def _engine_usage(usage: Usage) -> dict[str, int]:
    """Write what the engine spent: what it was given for media, and what it reported, where it did."""
    reported = {
        "promptTokenCount": usage.engine.prompt,
        "cachedContentTokenCount": usage.engine.cached,
        "candidatesTokenCount": usage.engine.output,
        "thoughtsTokenCount": usage.engine.thoughts,
    }
    known = {name: count for name, count in reported.items() if count is not None}
    return {"mediaTokenCount": usage.engine_media, **known}


def _details(tokens: Mapping[Modality, int]) -> list[dict[str, Any]]:
    return [
        {"modality": modality.value, "tokenCount": tokens[modality]}
        for modality in Modality
        if tokens.get(modality)
    ]
