"""Response schemas: the OpenAPI subset of `responseSchema`, normalised to plain JSON Schema.

Engines and validators know one language. Types go to lower case, `nullable` becomes a type of its
own, properties are put in the order they are to be written. Names that belong to the caller stay.
What breaks a rule is named as the service does it, by the property's name: `properties[total].items`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..domain.media import Json
from . import schema_rules
from .proto import (
    MAX_QUOTED,
    Field,
    Message,
    Reading,
    anything,
    boolean,
    double,
    enumeration,
    int64,
    mapping,
    repeated,
    string,
)

TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")

_MEMBERS = repeated(string)


def _members(reading: Reading, value: Any, path: str) -> list[Any] | None:
    number = len(value) if isinstance(value, list) else 1
    fits = schema_rules.within(reading, "enum members", number, path)
    return _MEMBERS(reading, value, path) if fits else None


SCHEMA = Message(
    "Schema",
    Field("type", enumeration("Type", "", TYPES)),
    Field("format", string),
    Field("title", string),
    Field("description", string),
    Field("nullable", boolean),
    Field("enum", _members),
    Field("maxItems", int64),
    Field("minItems", int64),
    Field("required", repeated(string)),
    Field("minProperties", int64),
    Field("maxProperties", int64),
    Field("minLength", int64),
    Field("maxLength", int64),
    Field("minimum", double),
    Field("maximum", double),
    Field("pattern", string),
    Field("propertyOrdering", repeated(string)),
    Field("default", anything),
    Field("example", anything),
    Field("ref", string, aliases=("$ref",)),
)


def read_schema(reading: Reading, value: Any, path: str) -> dict[str, Any] | None:
    """Parse a `Schema`, unless the request has too many of them."""
    if not schema_rules.within(reading, "schemas", 1, path):
        return None
    return SCHEMA(reading, value, path)


def _schema_or_bool(reading: Reading, value: Any, path: str) -> Any:
    return value if isinstance(value, bool) else read_schema(reading, value, path)


_NAMED = mapping(read_schema)


def _properties(reading: Reading, value: Any, path: str) -> Any:
    number = len(value) if isinstance(value, dict) else 1
    return _NAMED(reading, value, path) if schema_rules.within(reading, "properties", number, path) else None


SCHEMA.add(
    Field("items", read_schema),
    Field("properties", _properties),
    Field("anyOf", repeated(read_schema)),
    Field("additionalProperties", _schema_or_bool),
    Field("defs", _NAMED, aliases=("$defs",)),
)

_SAME: Mapping[str, str] = {
    "title": "title",
    "description": "description",
    "format": "format",
    "pattern": "pattern",
    "default": "default",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "required": "required",
}
"""Keywords that mean the same in both languages."""


_SPELT: Mapping[str, str] = {ours: theirs for theirs, ours in _SAME.items()}


def normalise(schema: Mapping[str, Any], path: str, reading: Reading) -> Json:
    """Turn a `Schema` message into JSON Schema, and check that it can be obeyed."""
    out = _normalise(schema, path, reading)
    schema_rules.check_expanded(reading, out, path)
    return out


def _normalise(schema: Mapping[str, Any], path: str, reading: Reading) -> Json:
    out: dict[str, Any] = {}
    kind = schema.get("type", "TYPE_UNSPECIFIED").lower()
    if kind != "type_unspecified":
        out["type"] = kind
    out |= {ours: schema[theirs] for theirs, ours in _SAME.items() if schema.get(theirs) is not None}
    out |= {bound: _whole(schema[bound]) for bound in ("minimum", "maximum") if bound in schema}
    schema_rules.check_keywords(reading, out, path, lambda name: _SPELT.get(name, name))
    reading.require(kind != "array" or "items" in schema, f"{path}.items", "missing field.")
    if schema.get("enum"):
        out["enum"] = [
            _member(one, kind, f"{path}.enum[{i}]", reading) for i, one in enumerate(schema["enum"])
        ]
    if "example" in schema:
        out["examples"] = [schema["example"]]
    if "ref" in schema:
        out["$ref"] = schema["ref"].replace("#/defs/", "#/$defs/", 1)
    out |= _nested(schema, path, reading)
    _check_names(schema, path, reading)
    return _nullable(out) if schema.get("nullable") else out


def _nested(schema: Mapping[str, Any], path: str, reading: Reading) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for theirs, ours in (("properties", "properties"), ("defs", "$defs")):
        if theirs in schema:
            out[ours] = {
                key: _normalise(one, f"{path}.{theirs}[{_shown(key)}]", reading)
                for key, one in schema[theirs].items()
            }
    if "properties" in out and "property_ordering" in schema:
        first = [name for name in schema["property_ordering"] if name in out["properties"]]
        out["properties"] = {name: out["properties"][name] for name in first} | out["properties"]
    if "items" in schema:
        out["items"] = _normalise(schema["items"], f"{path}.items", reading)
    if "any_of" in schema:
        branches = enumerate(schema["any_of"])
        out["anyOf"] = [_normalise(one, f"{path}.any_of[{i}]", reading) for i, one in branches]
    more = schema.get("additional_properties")
    if more is not None:
        below = f"{path}.additional_properties"
        out["additionalProperties"] = more if isinstance(more, bool) else _normalise(more, below, reading)
    return out


def _check_names(schema: Mapping[str, Any], path: str, reading: Reading) -> None:
    properties = schema.get("properties", {})
    for field in ("required", "property_ordering"):
        for index, name in enumerate(schema.get(field, ())):
            reading.require(name in properties, f"{path}.{field}[{index}]", "property is not defined")


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" in schema:
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        return schema | {"type": [schema["type"], "null"]} if schema["type"] != "null" else schema
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def _member(member: str, kind: str, path: str, reading: Reading) -> Any:
    """Convert a member of an enum to its schema's type: the message carries strings only."""
    reading.require(bool(member), path, "cannot be empty")
    if kind not in ("integer", "number"):
        return member
    try:
        number = float(member)
    except ValueError:
        number = math.nan
    fits = math.isfinite(number) and (kind == "number" or number.is_integer())
    reading.require(fits or not member, path, f"must be of type {kind}")
    return _whole(number)


def _shown(name: str) -> str:
    return name if len(name) <= MAX_QUOTED else f"{name[:MAX_QUOTED]}..."


def _whole(value: float) -> int | float:
    """Write whole numbers without a fraction."""
    return int(value) if value.is_integer() else value
