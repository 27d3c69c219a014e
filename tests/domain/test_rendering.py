from __future__ import annotations

import pytest

from twinlens.domain.rendering import Value, output_text_of, text_of
from twinlens.domain.request import CodeExecutionResult, ExecutableCode, FunctionCall, FunctionResult


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (FunctionCall("f", {"b": "ü", "a": None}, "1"), '{"id":"1","name":"f","args":{"b":"ü","a":null}}'),
        (FunctionCall("f", {}), '{"name":"f","args":{}}'),
        (FunctionResult("f", {"b": 1, "a": 2}, "1"), '{"id":"1","name":"f","response":{"b":1,"a":2}}'),
        (FunctionResult("f", {}), '{"name":"f","response":{}}'),
        (FunctionResult("f"), '{"name":"f"}'),
        (ExecutableCode("PYTHON", "print()"), '{"language":"PYTHON","code":"print()"}'),
        (CodeExecutionResult("OK", ""), '{"outcome":"OK","output":""}'),
        (CodeExecutionResult("OK"), '{"outcome":"OK"}'),
    ],
)
def test_a_value_is_written_as_what_it_is_and_its_json_in_one_order(value: Value, text: str) -> None:
    names = {
        FunctionCall: "functionCall",
        FunctionResult: "functionResponse",
        ExecutableCode: "executableCode",
        CodeExecutionResult: "codeExecutionResult",
    }

    assert text_of(value) == f"{names[type(value)]}: {text}"


def test_a_call_of_an_answer_counts_without_its_id() -> None:
    assert output_text_of(FunctionCall("f", {"a": 1}, "1")) == '{"name":"f","args":{"a":1}}'
