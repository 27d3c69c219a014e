from __future__ import annotations

import json
from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument, PermissionDenied, TwinlensError
from twinlens.domain.generations import LINES
from twinlens.domain.request import OutputFormat, Request, Thinking
from twinlens.wire import gemini

CONTENTS = [{"parts": [{"text": "Hi"}]}]


def read(line: Any = LINES["gemini-3"], **fields: Any) -> Request:
    body = json.dumps({"contents": CONTENTS, **fields}).encode()
    return gemini.read_generate(body, "gemini-3-flash", line)


def refusal(**config: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        read(generationConfig=config)
    assert all(one.field.startswith("generation_config.") for one in caught.value.violations)
    return caught.value.message


@pytest.mark.parametrize(
    ("config", "phrase"),
    [
        ({"temperature": -0.1}, "temperature must be in the range"),
        ({"temperature": "NaN"}, "temperature must be in the range"),
        ({"topP": 1.1}, "top_p must be in the range"),
        ({"topK": 0}, "top_k must be positive"),
        ({"candidateCount": 9}, "candidate_count must be in the range"),
        ({"maxOutputTokens": 0}, "GenerateContentRequest.generation_config.max_output_tokens: "),
        ({"maxOutputTokens": -1}, "must be positive"),
        ({"stopSequences": list("abcdef")}, "at most 5 stop sequences"),
        ({"stopSequences": [""]}, "must not be empty"),
        ({"logprobs": 2}, "response_logprobs is true"),
        ({"logprobs": 2, "responseLogprobs": True}, "Logprobs is not enabled for models/gemini-3-flash"),
        ({"responseModalities": ["TEXT", "IMAGE"]}, "Multi-modal output is not supported."),
        ({"responseMimeType": "image/png"}, "image/png is not one of"),
        ({"responseMimeType": "text/x.enum"}, "needs a schema with an enum"),
        ({"responseJsonSchema": {}}, "needs response_mime_type"),
        ({"responseMimeType": "application/json", "responseJsonSchema": []}, "must be a JSON Schema"),
        ({"thinkingConfig": {"thinkingBudget": -2}}, "thinking_budget must be"),
        ({"thinkingConfig": {"thinkingLevel": "EXTREME"}}, "ThinkingConfig.ThinkingLevel"),
        ({"translationConfig": {}}, "ask for it in the prompt"),
        ({"responseFormat": []}, "use responseMimeType"),
    ],
)
def test_what_the_contract_forbids_is_refused(config: dict[str, Any], phrase: str) -> None:
    assert phrase in refusal(**config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"temperature": 0, "topP": 0, "topK": 1, "candidateCount": 8, "maxOutputTokens": 1},
        {"temperature": 2, "topP": 1, "stopSequences": list("abcde")},
        {"responseModalities": ["TEXT"], "responseLogprobs": False},
        {"responseModalities": [], "responseMimeType": ""},
        {"enableEnhancedCivicAnswers": True, "routingConfig": {}},
    ],
)
def test_a12_what_the_contract_allows_is_read(config: dict[str, Any]) -> None:
    assert read(generationConfig=config)


@pytest.mark.parametrize(("line", "limit"), [("gemini-2.0", 8192), ("gemini-3", 65536)])
def test_the_output_limit_is_bounded_by_the_line(line: Any, limit: int) -> None:
    request = read(LINES[line], generationConfig={"maxOutputTokens": 10**9})

    assert request.sampling.max_output_tokens == limit


@pytest.mark.parametrize(
    ("config", "thinking"),
    [
        ({"thinkingBudget": -1, "includeThoughts": True}, Thinking(include=True, budget=-1)),
        ({"thinking_budget": 0}, Thinking(budget=0)),
        ({"thinking_level": "minimal"}, Thinking(level="MINIMAL")),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Thinking()),
    ],
)
@pytest.mark.parametrize("line", LINES)
def test_c18_thinking_knobs_are_read_on_every_line(line: Any, config: Any, thinking: Thinking) -> None:
    assert read(LINES[line], generationConfig={"thinkingConfig": config}).thinking == thinking


@pytest.mark.parametrize("name", ["responseJsonSchema", "_responseJsonSchema", "response_json_schema"])
def test_d3_a_json_schema_is_kept_as_written(name: str) -> None:
    written = {"properties": {"any_of": {"$ref": "#/$defs/x"}}, "nullable": True, "$defs": {"x": True}}

    request = read(generationConfig={"responseMimeType": "application/json", name: written})

    assert request.output == OutputFormat("application/json", written)


def test_a_json_schema_is_checked_at_every_depth() -> None:
    schema = {"properties": {"a": {"type": "text"}}}

    with pytest.raises(InvalidArgument) as caught:
        read(generationConfig={"responseMimeType": "application/json", "responseJsonSchema": schema})

    (one,) = caught.value.violations
    assert one.field == "generation_config.response_json_schema.properties.a.type"


def test_d4_an_integer_enum_comes_as_strings() -> None:
    schema = {"type": "INTEGER", "enum": ["1", "2"]}

    request = read(generationConfig={"responseMimeType": "text/x.enum", "responseSchema": schema})

    assert request.output == OutputFormat("text/x.enum", {"type": "string", "enum": ["1", "2"]})


def test_json_without_a_schema_is_read() -> None:
    assert read(generationConfig={"responseMimeType": "application/json"}).output == OutputFormat(
        "application/json"
    )


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ([{"threshold": "OFF"}], "safety_settings[0].category"),
        ([{"category": "HARM_CATEGORY_HARASSMENT"}] * 2, "safety_settings[1].category"),
        ([{"category": 1}], "safety_settings[0].category"),
        ([{"category": "HARM_CATEGORY_HARASSMENT", "method": "SEVERITY"}], "safety_settings[0]"),
    ],
)
def test_c21_safety_settings_name_each_category_once(settings: Any, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read(safetySettings=settings)

    assert [one.field for one in caught.value.violations] == [field]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cachedContents/999", PermissionDenied),
        ("projects/1/cachedContents/2", InvalidArgument),
        ("cachedContents/", PermissionDenied),
        ("cachedContents/a/b", InvalidArgument),
    ],
)
def test_k3_no_cache_is_found(name: str, kind: type[TwinlensError]) -> None:
    with pytest.raises(kind):
        read(cachedContent=name)


def test_functions_need_names_and_sound_schemas() -> None:
    declared = [{"functionDeclarations": [{}, {"name": "f", "parameters": {"required": ["x"]}}]}]

    with pytest.raises(InvalidArgument) as caught:
        read(tools=declared)

    assert [one.field for one in caught.value.violations] == [
        "tools[0].function_declarations[0].name",
        "tools[0].function_declarations[1].parameters.required[0]",
    ]


def test_functions_of_all_tools_are_one_list() -> None:
    first = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "OBJECT"}}]}
    second = {"function_declarations": [{"name": "g", "response": {"type": "STRING"}}]}

    assert read(tools=[first, second]).tools == [
        {"name": "f", "parameters": {"type": "object"}},
        {"name": "g", "response": {"type": "string"}},
    ]


@pytest.mark.parametrize("name", ["audioTranscriptionConfig", "speechConfig", "imageConfig"])
def test_how_other_answers_would_sound_or_look_changes_nothing(name: str) -> None:
    assert read(generationConfig={name: {"anything": 1}}) == read()


@pytest.mark.parametrize("line", ["gemini-1.5", "gemini-2.0"])
def test_log_probabilities_may_be_asked_for_where_the_line_knows_them(line: Any) -> None:
    asked = {"responseLogprobs": True, "logprobs": 2}

    assert read(LINES[line], generationConfig=asked) == read(LINES[line])


@pytest.mark.parametrize("line", ["gemini-2.5", "gemini-3"])
def test_log_probabilities_are_not_enabled_elsewhere(line: Any) -> None:
    with pytest.raises(InvalidArgument, match="Logprobs is not enabled for models/gemini-3-flash"):
        read(LINES[line], generationConfig={"responseLogprobs": True})


@pytest.mark.parametrize("name", ["f", "_", "get_x.y:z-1", "F" * 64])
def test_a_function_may_have_the_names_the_service_allows(name: str) -> None:
    tools = read(tools=[{"functionDeclarations": [{"name": name}]}]).tools

    assert tools == [{"name": name}]


@pytest.mark.parametrize("name", ["", "1", "-f", "a b", "a/b", "é", "f\n", "F" * 65])
def test_other_names_of_functions_are_refused_as_the_service_does_it(name: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read(tools=[{"functionDeclarations": [{"name": name}]}])

    path = "tools[0].function_declarations[0].name"
    assert [one.field for one in caught.value.violations] == [path]
    assert caught.value.message == (
        f"* GenerateContentRequest.{path}: Invalid function name. Must start with a letter or an underscore. "
        "Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
        "maximum length of 64.\n"
    )


def test_a_function_is_declared_once_in_all_tools() -> None:
    with pytest.raises(InvalidArgument) as caught:
        read(tools=[{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "f"}]}])

    assert caught.value.message == "Duplicate function declaration found: f"
    assert [one.field for one in caught.value.violations] == ["tools[1].function_declarations[0].name"]


def test_parameters_of_functions_are_held_to_the_rules_of_schemas() -> None:
    properties = {
        "l": {"type": "array"},
        "e": {"type": "string", "enum": ["", "b"]},
        "p": {"pattern": "(?=a)"},
    }
    function = {"name": "f", "parameters": {"type": "object", "properties": properties}}

    with pytest.raises(InvalidArgument) as caught:
        read(tools=[{"functionDeclarations": [function]}])

    assert [one.field.partition(".parameters.")[2] for one in caught.value.violations] == [
        "properties[l].items",
        "properties[e].enum[0]",
        "properties[p].pattern",
    ]


def test_limits_of_schemas_are_for_all_functions_together() -> None:
    many = {"type": "object", "properties": {str(i): {} for i in range(100)}}
    functions = [{"name": f"f{i}", "parametersJsonSchema": many} for i in range(102)]

    with pytest.raises(InvalidArgument, match="at most 10000 schemas") as caught:
        read(tools=[{"functionDeclarations": functions}])

    assert "function_declarations[99]" in caught.value.violations[0].field
