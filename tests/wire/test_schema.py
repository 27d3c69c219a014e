from __future__ import annotations

from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.wire import schema
from twinlens.wire.json import JsonText
from twinlens.wire.proto import Reading


def normalised(value: Any) -> Any:
    reading = Reading(JsonText(value), "GenerateContentRequest")
    fields = schema.read_schema(reading, value, "s")
    reading.check()
    assert fields is not None
    out = schema.normalise(fields, "s", reading)
    reading.check()
    return out


@pytest.mark.parametrize(
    ("openapi", "plain"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        (
            {"type": "integer", "minimum": 1, "maximum": 2.5},
            {"type": "integer", "minimum": 1, "maximum": 2.5},
        ),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"anyOf": [{"type": "STRING"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ({"type": "INTEGER", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "NUMBER", "enum": ["1.5"]}, {"type": "number", "enum": [1.5]}),
        ({"any_of": [{"type": "NULL"}, {}]}, {"anyOf": [{"type": "null"}, {}]}),
        (
            {"type": "ARRAY", "max_items": "3", "minItems": 1, "items": {}},
            {"type": "array", "minItems": 1, "maxItems": 3, "items": {}},
        ),
        (
            {"type": "STRING", "example": "x", "default": "y"},
            {"type": "string", "default": "y", "examples": ["x"]},
        ),
        (
            {"type": "OBJECT", "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
        ),
        (
            {"type": "OBJECT", "additional_properties": {"type": "STRING"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "STRING"}}},
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}},
        ),
        (
            {"ref": "#/defs/A", "defs": {"A": {"type": "STRING"}}},
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}},
        ),
    ],
)
def test_the_openapi_subset_becomes_json_schema(openapi: Any, plain: Any) -> None:
    assert normalised(openapi) == plain


def test_d9_properties_are_in_the_order_to_be_written() -> None:
    properties = {name: {"type": "STRING"} for name in ("a", "b", "c")}

    out = normalised({"type": "OBJECT", "properties": properties, "propertyOrdering": ["c", "a"]})

    assert list(out["properties"]) == ["c", "a", "b"]


def test_a17_names_of_properties_are_never_renamed() -> None:
    out = normalised({"properties": {"any_of": {"type": "STRING"}, "maxItems": {}}, "required": ["any_of"]})

    assert out == {"required": ["any_of"], "properties": {"any_of": {"type": "string"}, "maxItems": {}}}


@pytest.mark.parametrize(
    ("openapi", "field"),
    [
        ({"items": {"oneOf": []}}, "s.items"),
        ({"properties": {"a": {"type": "THING"}}}, "s.properties[0].value.type"),
        ({"properties": {"a": {}}, "required": ["a", "b"]}, "s.required[1]"),
        ({"properties": {"a": {}}, "propertyOrdering": ["b"]}, "s.property_ordering[0]"),
        ({"type": "INTEGER", "enum": ["1", "x"]}, "s.enum[1]"),
        ({"type": "NUMBER", "maximum": "NaN"}, "s.maximum"),
        ({"anyOf": [{"minItems": -1.5}]}, "s.any_of[0].min_items"),
        ({"properties": {"l": {"type": "ARRAY"}}}, "s.properties[l].items"),
        ({"defs": {"l": {"type": "array", "minItems": 1}}}, "s.defs[l].items"),
        ({"properties": {"e": {"type": "STRING", "enum": ["", "b"]}}}, "s.properties[e].enum[0]"),
        ({"type": "INTEGER", "enum": ["1", ""]}, "s.enum[1]"),
        ({"minLength": -1}, "s.min_length"),
        ({"minItems": 2, "maxItems": 1}, "s.max_items"),
        ({"minimum": 2, "maximum": 1}, "s.maximum"),
        ({"items": {"pattern": "(?=a)"}}, "s.items.pattern"),
        ({"pattern": r"(a)\1"}, "s.pattern"),
        ({"pattern": "a{1001}"}, "s.pattern"),
        ({"anyOf": [{}] * 10_001}, "s.any_of"),
        ({"anyOf": [{"anyOf": [{}] * 4_998}] * 2 + [{}] * 2}, "s.any_of[3]"),
        ({"properties": {str(i): {} for i in range(10_001)}}, "s.properties"),
        ({"enum": ["a"] * 10_001}, "s.enum"),
        ({"$ref": "#/$defs/0", "$defs": {str(i): {"$ref": f"#/$defs/{i + 1}"} for i in range(60)}}, "s"),
    ],
)
def test_what_is_wrong_in_a_schema_is_told_with_its_path(openapi: Any, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        normalised(openapi)

    assert [one.field for one in caught.value.violations] == [field]


def test_missing_items_and_empty_members_are_told_as_the_service_tells_them() -> None:
    schema = {"properties": {"l": {"type": "ARRAY"}, "e": {"enum": ["b", ""]}}}

    with pytest.raises(InvalidArgument) as caught:
        normalised(schema)

    assert caught.value.message == (
        "* GenerateContentRequest.s.properties[l].items: missing field.\n"
        "* GenerateContentRequest.s.properties[e].enum[1]: cannot be empty\n"
    )
