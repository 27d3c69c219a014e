"""Requests of the Interactions API to the domain, and what is stored of them.

What is stored is what the tables make of the request: what counts of it, in this API's own names, without
the bytes of its media. That is read again when it is worked on later, or the conversation goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from ...domain.errors import Internal, InvalidArgument, UnknownModel
from ...domain.generations import Generation
from ...domain.interaction import Interaction
from ...domain.request import Request, Text, Turn
from .. import generation, json
from . import config, steps
from .messages import CREATE_INTERACTION
from .readers import PlainReading

Body = bytes | bytearray | memoryview
Fields = Mapping[str, Any]
T = TypeVar("T")

_NOTHING = json.JsonText(None)


@dataclass(frozen=True, slots=True)
class Create:
    """A request to create an interaction. `sent` is what to store of it; `previous` is the one before."""

    request: Request
    sent: bytes
    previous: str | None
    store: bool
    background: bool
    stream: bool


def read_create(body: Body, line_of: Callable[[str], Generation]) -> Create:
    """Parse a request to create an interaction; `line_of` raises for unknown models."""
    reading = PlainReading(json.read(body), CREATE_INTERACTION.name)
    if not isinstance(reading.document.value, dict):
        raise InvalidArgument("The request must be a JSON object.")
    fields = CREATE_INTERACTION(reading, reading.document.value, "")
    reading.check()
    assert fields is not None
    model = _model(fields)
    try:
        line = line_of(model)
    except UnknownModel as unknown:
        if unknown.paints and fields.get("system_instruction"):
            raise generation.instruction_refused(model) from None
        raise
    _check_options(fields, reading)
    request = _request(fields, model, line, reading)
    reading.check()
    return Create(
        request=request,
        sent=msgspec.json.encode(fields),
        previous=fields.get("previous_interaction_id"),
        store=fields.get("store", True),
        background=fields.get("background", False),
        stream=fields.get("stream", False),
    )


def read_sent(interaction: Interaction, line: Generation) -> Request:
    """Parse the request of a stored interaction again, its media as references to the store."""
    fields = msgspec.json.decode(interaction.sent)
    return _again(interaction, lambda reading: _request(fields, interaction.model, line, reading))


def read_turns(interaction: Interaction) -> tuple[Turn, ...]:
    """Parse only the turns in the request of a stored interaction."""
    given = _INPUT.decode(interaction.sent).input
    return _again(interaction, lambda reading: steps.turns(given, "input", reading))


class _Input(msgspec.Struct):
    input: Any = None


_INPUT = msgspec.json.Decoder(_Input)


def _again(interaction: Interaction, read: Callable[[PlainReading], T]) -> T:
    """Parse what the tables have accepted before; an error now is a bug of ours."""
    reading = PlainReading(_NOTHING, CREATE_INTERACTION.name, media=deque(interaction.media))
    found = read(reading)
    try:
        reading.check()
    except InvalidArgument as error:
        raise Internal from error
    return found


def _model(fields: Fields) -> str:
    """Return the model that is to answer; refuse an agent."""
    model: str = fields.get("model", "").removeprefix("models/")
    agent: str = fields.get("agent", "")
    if model and agent:
        raise InvalidArgument("model and agent exclude each other: send model alone.", field="agent")
    if agent:
        raise InvalidArgument("agent: agents are not served here, send model instead.", field="agent")
    if not model:
        raise InvalidArgument("model is missing: name the model that is to answer.", field="model")
    return model


def _check_options(fields: Fields, reading: PlainReading) -> None:
    if fields.get("background") and not fields.get("store", True):
        reading.refuse("background", "background: true needs store: true, or nobody could get the answer")
    previous = fields.get("previous_interaction_id")
    reading.require(previous != "", "previous_interaction_id", "must not be empty")


def _request(fields: Fields, model: str, line: Generation, reading: PlainReading) -> Request:
    options, path = fields.get("generation_config", {}), "generation_config"
    config.check_modalities(fields.get("response_modalities"), "response_modalities", reading)
    config.check_safety(fields.get("safety_settings"), "safety_settings", reading)
    system = fields.get("system_instruction")
    tools = config.tools(fields.get("tools"), "tools", reading)
    return Request(
        model=model,
        turns=steps.turns(fields.get("input"), "input", reading),
        system=(Text(system),) if system else (),
        sampling=generation.sampling(options, path, line, reading),
        thinking=config.thinking(options),
        output=config.output(fields.get("response_format"), fields.get("response_mime_type"), reading),
        tools=tools,
        tool_choice=config.tool_choice(options, path, tools, reading),
    )
