"""What a rule of the answers file matches, by its key: from a YAML node to a test of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import translate

from ...domain.engine import FunctionResult, Medium
from ...domain.media import Json
from .fields import YamlNode
from .rules import KIND_OF, Test

KINDS = tuple(KIND_OF.values())


def _pattern(field: YamlNode) -> Callable[[str], bool]:
    """Parse `/regex/`, `/regex/i`, or else a literal text to search for."""
    text = field.text()
    regex = re.fullmatch(r"/(.+)/(i?)", text, re.DOTALL)
    if regex is None:
        return lambda value: text in value
    try:
        found = re.compile(regex[1], re.IGNORECASE if regex[2] else re.NOFLAG).search
    except re.error as cause:
        raise field.wrong(f"{text} is not a regular expression: {cause}") from cause
    return lambda value: found(value) is not None


def _glob(field: YamlNode) -> Callable[[str], bool]:
    fits = re.compile(translate(field.text())).match
    return lambda value: fits(value) is not None


def _model(field: YamlNode) -> Test:
    fits = _glob(field)
    return lambda asked: fits(asked.model)


def _text(field: YamlNode) -> Test:
    fits = _pattern(field)
    return lambda asked: fits(asked.text)


def _system(field: YamlNode) -> Test:
    fits = _pattern(field)
    return lambda asked: fits(asked.system)


def _media(field: YamlNode) -> Test:
    if not field.is_mapping:
        count = field.integer(0)
        return lambda asked: len(asked.mime_types) == count
    counts = {kind: value.integer(0) for kind, value in field.mapping(KINDS).items()}
    if not counts:
        raise field.wrong("must not be empty")
    return lambda asked: all(asked.kinds.count(kind) == count for kind, count in counts.items())


def _mime(field: YamlNode) -> Test:
    fits = _glob(field)
    return lambda asked: any(map(fits, asked.mime_types))


def _turns(field: YamlNode) -> Test:
    turns = field.integer(1)
    return lambda asked: asked.turns == turns


def _schema(field: YamlNode) -> Test:
    if field.is_sequence:
        names = {item.text() for item in field.items(1)}
        return lambda asked: names <= _property_names(asked.schema)
    wanted = field.flag()
    return lambda asked: (asked.schema is not None) is wanted


def _property_names(schema: Json | None) -> set[str]:
    """Collect the names of all properties of a schema, at any depth."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            names.update(properties if isinstance(properties, dict) else ())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return names


def _tools(field: YamlNode) -> Test:
    if field.is_sequence:
        names = {item.text() for item in field.items(1)}
        return lambda asked: names <= set(asked.tools)
    wanted = field.flag()
    return lambda asked: bool(asked.tools) is wanted


def _function_response(field: YamlNode) -> Test:
    """Parse what a function's result must be: its name's pattern, or a pattern or value for each member."""
    fields = field.mapping(_RESULT) if field.is_mapping else {"name": field}
    if not fields:
        raise field.wrong("must not be empty")
    tests = [_RESULT[key](value) for key, value in fields.items()]
    return lambda asked: any(all(test(result) for test in tests) for result in asked.results)


ResultTest = Callable[[FunctionResult[Medium]], bool]


def _result_name(field: YamlNode) -> ResultTest:
    fits = _glob(field)
    return lambda result: fits(result.name)


def _result_id(field: YamlNode) -> ResultTest:
    fits = _glob(field)
    return lambda result: fits(result.id)


def _result_response(field: YamlNode) -> ResultTest:
    if not field.is_mapping:
        raise field.wrong("must have keys: those that the response must have")
    wanted = json.loads(field.json_text())
    return lambda result: _holds(result.response, wanted)


def _holds(value: Json, wanted: Json) -> bool:
    """Whether objects have all expected members, at any depth; all else must be equal."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(key in value and _holds(value[key], one) for key, one in wanted.items())
    # In Python, True equals 1.
    return bool(value == wanted) and isinstance(value, bool) is isinstance(wanted, bool)


def _result_media(field: YamlNode) -> ResultTest:
    count = field.integer(0)
    return lambda result: len(result.media) == count


_RESULT: Mapping[str, Callable[[YamlNode], ResultTest]] = {
    "name": _result_name,
    "id": _result_id,
    "response": _result_response,
    "media": _result_media,
}


MATCHERS: Mapping[str, Callable[[YamlNode], Test]] = {
    "model": _model,
    "text": _text,
    "system": _system,
    "media": _media,
    "mime": _mime,
    "turns": _turns,
    "schema": _schema,
    "tools": _tools,
    "function_response": _function_response,
}
