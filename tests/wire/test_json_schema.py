from __future__ import annotations

from typing import Any

import pytest

from twinlens.wire.json import JsonText
from twinlens.wire.json_schema import check_schema
from twinlens.wire.proto import Reading

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": {"type": "object", "properties": {"children": {"items": {"$ref": "#/$defs/node"}}}}},
}


def check(schema: Any) -> tuple[Any, list[str]]:
    reading = Reading(JsonText(None), "Request")
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
        {"prefixItems": [{"type": "string"}, False], "additionalProperties": False},
        {"minLength": 0, "maxLength": 0, "minItems": 2.0, "minimum": -5, "exclusiveMaximum": 0.5},
        {"minimum": 1, "maximum": 1, "exclusiveMinimum": False, "multipleOf": 1e-308},
        {"pattern": "^(?<n>[^/]+)/\\d$", "patternProperties": {"^x": {"type": "null"}}},
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"const": 1}}},
        {"$ref": "#/$defs/", "$defs": {"": {"const": 1}}},
        {"$ref": "#/$defs/~0~1%25", "$defs": {"~/%": {"const": 1}}},
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
    ("schema", "read"),
    [
        ({"items": [{"type": "STRING"}, False]}, {"prefixItems": [{"type": "string"}, False]}),
        ({"items": [{}], "additionalItems": False}, {"prefixItems": [{}], "items": False}),
        ({"items": {}, "additionalItems": False}, {"items": {}, "additionalItems": False}),
        ({"type": ["string", "STRING"]}, {"type": ["string"]}),
    ],
)
def test_what_older_drafts_wrote_is_put_as_it_is_written_today(schema: Any, read: Any) -> None:
    assert check(schema) == (read, [])


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"pattern": 5}, "s.pattern must be a regular expression, not 5"),
        ({"pattern": "a("}, "s.pattern must be a regular expression: a group has no end at character 2"),
        ({"items": {"pattern": "(?=a)"}}, "s.items.pattern must not have look-arounds"),
        ({"pattern": r"(a)\1"}, "s.pattern must not refer back"),
        ({"pattern": "a{1001}"}, "s.pattern must not repeat anything more than 1000 times"),
        ({"patternProperties": {"(?!a)": {}}}, 's.patternProperties."(?!a)" must not have look-arounds'),
        ({"minItems": -1}, "s.minItems must be a whole number, 0 or more"),
        ({"maxLength": 1.5}, "s.maxLength must be a whole number, 0 or more"),
        ({"minLength": "1"}, "s.minLength must be a whole number, 0 or more"),
        ({"minProperties": True}, "s.minProperties must be a whole number, 0 or more"),
        ({"minItems": 3, "maxItems": 2}, "s.maxItems must not be less than minItems"),
        ({"multipleOf": 0}, "s.multipleOf must be a number above 0"),
        ({"multipleOf": -1}, "s.multipleOf must be a number above 0"),
        ({"multipleOf": "NaN"}, "s.multipleOf must be a number above 0"),
        ({"minimum": "1"}, "s.minimum must be a number, and finite"),
        ({"maximum": 10**400}, "s.maximum must be a number, and finite"),
        ({"minimum": 2, "maximum": 1}, "s.maximum leaves no number between the bounds"),
        ({"minimum": 2, "exclusiveMaximum": 2}, "s.exclusiveMaximum leaves no number between the bounds"),
        ({"exclusiveMinimum": 2, "maximum": 2}, "s.maximum leaves no number between the bounds"),
    ],
)
def test_keywords_that_cannot_be_obeyed_are_told_with_their_path(schema: Any, told: str) -> None:
    (message,) = check(schema)[1]

    assert message.replace("s: ", "").startswith(told)


MANY = {
    f"d{i}": {"type": "object", "properties": {"x": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2}}}
    for i in range(12)
}


@pytest.mark.parametrize(
    ("schema", "path", "what"),
    [
        ({"prefixItems": [{}] * 10_000}, "s.prefixItems[9999]", "10000 schemas"),
        ({"anyOf": [{"items": [{}] * 5_000}] * 2}, "s.anyOf[1].items[4997]", "10000 schemas"),
        ({"$defs": {str(i): {} for i in range(10_000)}}, 's.$defs."9999"', "10000 schemas"),
        ({"allOf": [{"not": {}}] * 5_001}, "s.allOf[4999].not", "10000 schemas"),
        ({"properties": {f"p{i}": True for i in range(10_001)}}, "s.properties", "10000 properties"),
        ({"enum": list(range(10_001))}, "s.enum", "10000 enum members"),
        ({"anyOf": [{"enum": [1] * 6000}] * 2}, "s.anyOf[1].enum", "10000 enum members"),
        ({"anyOf": [{"pattern": "a" * 3000}] * 7}, "s.anyOf[6].pattern", "20000 characters of patterns"),
        ({"anyOf": [{"pattern": r"\p{L}{50}"}] * 3}, "s.anyOf[2].pattern", "150000 steps of patterns"),
    ],
)
def test_all_schemas_of_a_request_have_limits(schema: Any, path: str, what: str) -> None:
    (message,) = check(schema)[1]

    assert message == f"{path} the schemas of a request may have at most {what}, all together"


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"$ref": "#/$defs/d0", "$defs": {**MANY, "d12": {}}}, "is too large: it may come to at most 10000"),
        (
            {"anyOf": [{}] * 150, "properties": {f"p{i}": {} for i in range(150)}},
            "is too large: it may come to at most 10000",
        ),
        (
            {
                "$ref": "#/$defs/0",
                "$defs": {str(i): {"items": {"$ref": f"#/$defs/{i + 1}"}} for i in range(30)} | {"30": {}},
            },
            "is nested too deeply: at most 50",
        ),
        (
            {
                "$ref": "#/$defs/0",
                "$defs": {str(i): {"anyOf": [{"$ref": f"#/$defs/{j}"} for j in range(9)]} for i in range(9)},
            },
            "is too large",
        ),
    ],
    ids=["doubled", "alternatives beside properties", "deep", "one another"],
)
def test_references_do_not_make_a_schema_larger_or_deeper_than_allowed(schema: Any, what: str) -> None:
    (message,) = check(schema)[1]

    assert message.startswith(f"s {what}")


def test_many_patterns_that_are_wrong_are_not_all_compiled() -> None:
    messages = check({"anyOf": [{"pattern": r"\p{L}{1000}"}] * 1000})[1]

    assert len(messages) < 20


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
