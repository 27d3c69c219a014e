from __future__ import annotations

from typing import Any

import pytest

from twinlens.wire.json import Document
from twinlens.wire.json_schema import check_schema
from twinlens.wire.proto import Reading

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": {"type": "object", "properties": {"children": {"items": {"$ref": "#/$defs/node"}}}}},
}


def check(schema: Any) -> tuple[Any, list[str]]:
    reading = Reading(Document(None), "Request")
    read = check_schema(schema, "s", reading)
    return read, [f"{one.field} {one.description.partition(': ')[2]}" for one in reading.violations]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        TREE,
        {"type": ["string", "null"], "x-mine": {"type": 5}, "format": 1},
        {"properties": {"type": {"enum": [1, None]}, "required": True}, "required": ["type"]},
        {"properties": {"me": {"$ref": "#"}}},
        {"items": [{"type": "string"}, False], "additionalProperties": False},
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b/items"}, "b": {"items": {"type": "null"}}}},
    ],
)
def test_a_schema_is_kept_as_written(schema: Any) -> None:
    assert check(schema) == (schema, [])


def test_types_are_written_in_lower_case() -> None:
    schema = {"type": ["ARRAY", "NULL"], "items": {"anyOf": [{"type": "NUMBER"}, {"const": "NUMBER"}]}}

    read = {"type": ["array", "null"], "items": {"anyOf": [{"type": "number"}, {"const": "NUMBER"}]}}
    assert check(schema) == (read, [])


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (5, "s must be a JSON Schema, not 5"),
        ({"type": []}, "s.type must be one of object, array, string"),
        ({"type": "float"}, "s.type must be one of object, array, string"),
        ({"properties": {"a": {"items": {"type": 5}}}}, "s.properties.a.items.type must be one of"),
        ({"properties": 5}, "s.properties must be an object of JSON Schemas, not 5"),
        ({"properties": {"a b": 5}}, 's.properties."a b" must be a JSON Schema, not 5'),
        ({"items": "string"}, 's.items must be a JSON Schema, not "string"'),
        ({"required": "total"}, 's.required must be a list of strings, not "total"'),
        ({"required": [1]}, "s.required must be a list of strings, not [1]"),
        ({"enum": "a"}, 's.enum must be a list of values, not "a"'),
        ({"anyOf": []}, "s.anyOf must be a list of JSON Schemas, not []"),
        ({"allOf": [{}, 1]}, "s.allOf[1] must be a JSON Schema, not 1"),
        ({"$defs": {"a": {"not": 1}}}, "s.$defs.a.not must be a JSON Schema, not 1"),
    ],
)
def test_what_is_no_schema_is_told_with_its_path(schema: Any, told: str) -> None:
    (message,) = check(schema)[1]

    assert message.startswith(told)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a"},
        {"$ref": "#/$defs"},
        {"$ref": "http://example.com/schema"},
        {"$ref": "#/properties/a", "properties": {"a": {}}},
        {"$ref": 5},
        {"$ref": "#/$defs/a", "$defs": {"a": 5}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"items": {"$ref": "#/$defs/" + "a" * 1000}},
    ],
)
def test_a_reference_leads_to_a_schema(schema: Any) -> None:
    messages = check(schema)[1]

    assert "$ref must be #, #/$defs/... or #/definitions/..., and lead to a schema, not " in messages[0]
    assert len(messages[0]) < 300
