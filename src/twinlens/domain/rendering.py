"""Function calls and results as text: as they are counted, and as engines that read texts alone get them."""

from __future__ import annotations

import json
from typing import Any

from .media import Json
from .request import CodeExecutionResult, ExecutableCode, FunctionCall, FunctionResult

Value = FunctionCall | FunctionResult[Any] | ExecutableCode | CodeExecutionResult
"""What a turn may hold beside texts and media."""


def text_of(value: Value) -> str:
    """Write a value of a prompt as a line: what it is, and its JSON in one order, whatever the client's.

    The media of a result are none of it.
    """
    match value:
        case FunctionCall(name, arguments, call_id):
            return _line("functionCall", id=call_id or None, name=name, args=dict(arguments))
        case FunctionResult(name, response, call_id):
            return _line("functionResponse", id=call_id or None, name=name, response=response)
        case ExecutableCode(language, code):
            return _line("executableCode", language=language, code=code)
        case CodeExecutionResult(outcome, output):
            return _line("codeExecutionResult", outcome=outcome, output=output)


def output_text_of(call: FunctionCall) -> str:
    """Write a call of an answer as the text that it counts as."""
    return compact({"name": call.name, "args": dict(call.arguments)})


def compact(value: Json) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _line(kind: str, **members: Json | None) -> str:
    return f"{kind}: {compact({name: member for name, member in members.items() if member is not None})}"
