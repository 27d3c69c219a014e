from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from twinlens.domain.request import OutputFormat, Sampling, Thinking, ToolChoice
from twinlens.wire.interactions.reading import Create

Reading = Callable[..., Create]
Refusing = Callable[..., str]

SCHEMA = {"type": "object", "properties": {"box_2d": {"type": "array", "items": {"type": "integer"}}}}
JSON: Final = "application/json"
FORM = {"type": "text", "mime_type": JSON, "schema": SCHEMA}
LOOK = {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA}
HARM = {"type": "harassment", "threshold": "block_none"}


def test_sampling_is_what_was_asked_for(create: Reading) -> None:
    config = {"temperature": 0.5, "top_p": 1, "max_output_tokens": 9, "seed": 7, "stop_sequences": ["."]}

    sampling = create(generation_config=config).request.sampling

    expected = Sampling(temperature=0.5, top_p=1.0, max_output_tokens=9, seed=7, stop_sequences=(".",))
    assert sampling == expected


@pytest.mark.parametrize(
    ("config", "thinking"),
    [
        ({}, Thinking()),
        ({"thinking_level": "minimal"}, Thinking(level="MINIMAL")),
        ({"thinkingLevel": "xhigh", "thinkingSummaries": "auto"}, Thinking(include=True, level="XHIGH")),
        ({"thinking_summaries": "none"}, Thinking()),
    ],
)
def test_j9_thinking_has_levels_and_summaries(create: Reading, config: Any, thinking: Thinking) -> None:
    assert create(generation_config=config).request.thinking == thinking


def test_numbers_come_as_texts_too(create: Reading) -> None:
    config = {"temperature": "0.5", "top_p": "1", "max_output_tokens": "9", "seed": 7.0}

    assert create(generation_config=config).request.sampling == Sampling(
        temperature=0.5, top_p=1.0, max_output_tokens=9, seed=7
    )


def test_names_of_choices_come_in_any_case(create: Reading) -> None:
    made = create(
        tools=[LOOK],
        generation_config={"thinking_level": "LOW", "thinking_summaries": "Auto", "tool_choice": "ANY"},
        response_modalities=["TEXT"],
        service_tier="FLEX",
    )

    assert made.request.thinking == Thinking(include=True, level="LOW")
    assert made.request.tool_choice == ToolChoice("ANY")


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, OutputFormat()),
        ({"response_format": FORM}, OutputFormat(JSON, SCHEMA)),
        ({"response_format": [FORM]}, OutputFormat(JSON, SCHEMA)),
        ({"response_format": {"type": "text", "schema": SCHEMA}}, OutputFormat(JSON, SCHEMA)),
        ({"response_format": {"type": "text", "mimeType": JSON}}, OutputFormat(JSON)),
        ({"response_format": {"type": "text"}}, OutputFormat()),
        ({"response_format": SCHEMA}, OutputFormat(JSON, SCHEMA)),
        ({"response_format": SCHEMA, "response_mime_type": JSON}, OutputFormat(JSON, SCHEMA)),
        ({"response_format": {"type": ["array", "null"]}}, OutputFormat(JSON, {"type": ["array", "null"]})),
        ({"response_format": {"type": "ARRAY"}}, OutputFormat(JSON, {"type": "array"})),
        ({"response_format": {"enum": ["a"]}}, OutputFormat(JSON, {"enum": ["a"]})),
        ({"response_mime_type": JSON, "response_modalities": ["text"]}, OutputFormat(JSON)),
    ],
)
def test_j8_the_answer_has_a_form(create: Reading, fields: Any, output: OutputFormat) -> None:
    assert create(**fields).request.output == output


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ([], "response_format must hold one entry"),
        ([FORM, FORM], "response_format must hold one entry"),
        (
            {"type": "text", "mime_type": "text/plain", "schema": SCHEMA},
            "response_format.schema: a schema needs the mime_type application/json",
        ),
        (
            {"type": "text", "mime_type": "text/html"},
            'response_format.mime_type must be one of application/json, text/plain, not "text/html"',
        ),
        ([{"type": "text", "schema": 5}], "response_format[0].schema must be an object, not 5"),
        (
            {"type": "text", "schema": {"properties": {"a": {"type": "decimal"}}}},
            "response_format.schema.properties.a.type must be one of object",
        ),
        ({"items": {"$ref": "#/$defs/a"}}, "response_format.items.$ref must be #, #/$defs/... or #/definit"),
        (
            {"type": "text", "strict": True},
            "response_format.strict is not a known field of TextResponseFormat.",
        ),
        ({"type": "image"}, "response_format.type: image output is not supported, answers are text"),
        ([{"type": "audio"}], "response_format[0].type: audio output is not supported, answers are text"),
        (
            {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
            'put the schema that it holds into {"type": "text", "mime_type": "application/json", "schema": {',
        ),
        ({"type": "json_object"}, 'response_format must be {"type": "text", "mime_type": "application/json"'),
        ("json", "response_format must be"),
        ({}, "response_format must be"),
    ],
)
def test_a_form_that_cannot_be_is_refused(refusal: Refusing, form: Any, message: str) -> None:
    assert message in refusal(response_format=form)


@pytest.mark.parametrize(
    ("fields", "tools", "choice"),
    [
        ({"tools": []}, None, ToolChoice()),
        ({"tools": [{"type": "function", "name": "f"}]}, [{"name": "f"}], ToolChoice()),
        (
            {"tools": [LOOK], "generation_config": {"tool_choice": "any"}},
            [{"name": "look", "description": "Looks.", "parameters": SCHEMA}],
            ToolChoice("ANY"),
        ),
        ({"generation_config": {"tool_choice": "none"}}, None, ToolChoice("NONE")),
        (
            {
                "tools": [{"type": "function", "name": "f"}],
                "generation_config": {
                    "tool_choice": {"allowed_tools": {"mode": "validated", "tools": ["f"]}}
                },
            },
            [{"name": "f"}],
            ToolChoice("VALIDATED", ("f",)),
        ),
    ],
)
def test_functions_may_be_called(create: Reading, fields: Any, tools: Any, choice: ToolChoice) -> None:
    request = create(**fields).request

    assert (request.tools, request.tool_choice) == (tools, choice)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tools": [{"type": "google_search"}]}, 'tools[0].type: "google_search" is not offered'),
        ({"tools": [{"name": "f"}]}, "tools[0].type is missing: it must be function"),
        ({"tools": [{"type": "function"}]}, "tools[0].name is missing"),
        ({"tools": [{"type": "function", "name": ""}]}, "tools[0].name must not be empty"),
        ({"tools": [LOOK | {"name": "1 bad"}]}, "tools[0].name: Invalid function name. Must start with a"),
        (
            {"tools": [LOOK | {"parameters": {"properties": {"l": {"type": "array"}}}}]},
            "tools[0].parameters.properties.l.items: missing field.",
        ),
        (
            {"tools": [LOOK | {"parameters": {"properties": {"e": {"enum": ["a", ""]}}}}]},
            "tools[0].parameters.properties.e.enum[1]: cannot be empty.",
        ),
        (
            {"tools": [LOOK | {"parameters": {"pattern": "(?=a)"}}]},
            "tools[0].parameters.pattern must not have look-arounds",
        ),
        ({"tools": [LOOK, LOOK]}, "tools[1].name: two functions have this name"),
        ({"tools": [LOOK | {"parameters": "{}"}]}, 'tools[0].parameters must be an object, not "{}"'),
        ({"tools": [LOOK | {"parameters": {"properties": 5}}]}, "tools[0].parameters.properties must be an"),
        (
            {"tools": [{"type": "function", "name": "look"}] * 10_001},
            "tools has 10001 items: at most 10000 are allowed.",
        ),
        (
            {"tools": [{"type": "function", "name": f"f{i}"} for i in range(513)]},
            "tools: at most 512 functions are allowed",
        ),
        (
            {"generation_config": {"tool_choice": "any"}},
            "generation_config.tool_choice: any needs functions in tools",
        ),
        (
            {"generation_config": {"tool_choice": "must"}},
            'generation_config.tool_choice must be one of auto, any, none, validated, not "must"',
        ),
        (
            {"tools": [LOOK], "generation_config": {"tool_choice": {"allowed_tools": {"tools": ["f"]}}}},
            'generation_config.tool_choice.allowed_tools.tools[0]: "f" is not among the tools',
        ),
    ],
)
def test_tools_that_cannot_be_are_refused(refusal: Refusing, fields: Any, message: str) -> None:
    assert message in refusal(**fields)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"temperature": 3},
            "generation_config.temperature must be in the range [0.0, 2.0]",
        ),
        ({"temperature": "hot"}, 'generation_config.temperature must be a number, not "hot"'),
        ({"seed": 1.5}, "generation_config.seed must be a whole number of 32 bits, not 1.5"),
        ({"max_output_tokens": 0}, "generation_config.max_output_tokens must be positive"),
        ({"stop_sequences": ["."] * 6}, "generation_config.stop_sequences: at most 5 stop sequences"),
        (
            {"thinking_level": "LOUD"},
            'generation_config.thinking_level must be one of minimal, low, medium, high, xhigh, not "LOUD"',
        ),
        ({"temperature": "NaN"}, "generation_config.temperature must be in the range [0.0, 2.0]."),
        ({"top_p": "Infinity"}, "generation_config.top_p must be in the range [0.0, 1.0]."),
        ({"max_output_tokens": "NaN"}, "generation_config.max_output_tokens must be a whole number"),
        ({"top_k": 5}, "generation_config.top_k is not a known field of InteractionGenerationConfig."),
    ],
)
def test_a_config_that_cannot_be_is_refused(refusal: Refusing, config: Any, message: str) -> None:
    assert message in refusal(generation_config=config)


def test_safety_settings_are_checked(create: Reading, refusal: Refusing) -> None:
    assert create(safety_settings=[HARM, {"type": "JAILBREAK", "threshold": "off", "method": "severity"}])

    assert refusal(safety_settings=[HARM, HARM]) == (
        "safety_settings[1].type: harassment is set more than once."
    )
    assert "safety_settings[0].threshold must be one of block_low_and_above" in refusal(
        safety_settings=[HARM | {"threshold": "BLOCK_SOME"}]
    )
    assert refusal(safety_settings=[{"type": "harassment"}]) == "safety_settings[0].threshold is missing."


@pytest.mark.parametrize("name", ["speech_config", "image_config", "video_config", "transcription_config"])
def test_how_other_answers_would_sound_or_look_changes_nothing(create: Reading, name: str) -> None:
    assert create(generation_config={name: {"anything": 1}}).request == create().request
