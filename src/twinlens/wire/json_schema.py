"""JSON Schemas as callers write them: checked as far as those who fill them rely on it.

Keywords that are not known here stay as they are. What drafts 4 to 7 write otherwise is put as it is
written today: a list under `items` becomes `prefixItems`, and `additionalItems` the `items` after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..domain import pointers
from ..domain.media import Json
from . import schema_rules
from .proto import Reading, member_path

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_DEFINITIONS = ("$defs", "definitions")
_REF = "must be #, #/$defs/... or #/definitions/..., and lead to a schema"


def check_schema(schema: Any, path: str, reading: Reading, *, declared: bool = False) -> Json:
    """Check a schema, and write its types in lower case.

    Where it is declared for a function's parameters, arrays say what is in them, and enums name something.
    """
    checked = _Schemas(schema, reading, declared).schema(schema, path)
    schema_rules.check_expanded(reading, checked, path)
    return checked


def is_type(kind: Any) -> bool:
    """Whether this may be a schema's `type`, also in upper case as the OpenAPI dialect has it."""
    kinds = kind if isinstance(kind, list) else [kind]
    return bool(kinds) and all(isinstance(one, str) and one.lower() in TYPES for one in kinds)


class _Schemas:
    """The schemas of one document, and those of its references that are known to lead somewhere."""

    def __init__(self, root: Any, reading: Reading, declared: bool) -> None:
        self._root = root
        self._reading = reading
        self._declared = declared
        self._good: set[str] = set()

    def schema(self, value: Any, path: str) -> Json:
        if not schema_rules.within(self._reading, "schemas", 1, path):
            return True
        if isinstance(value, bool) or not self._holds(isinstance(value, dict), value, path, "a JSON Schema"):
            return value
        read = _KEYWORDS.get
        schema_rules.check_keywords(self._reading, value, path, str)
        if self._declared:
            self._check_declared(value, path)
        return _of_today(
            {
                key: keyword(self, one, f"{path}.{key}") if (keyword := read(key)) else one
                for key, one in value.items()
            }
        )

    def _check_declared(self, schema: Mapping[str, Any], path: str) -> None:
        kind, members = schema.get("type"), schema.get("enum")
        if isinstance(kind, str) and kind.lower() == "array":
            told = schema.keys() & {"items", "prefixItems"}
            self._reading.require(bool(told), f"{path}.items", "missing field.")
        if isinstance(members, list) and "" in members:
            self._reading.require(False, f"{path}.enum[{members.index('')}]", "cannot be empty")

    def type(self, value: Any, path: str) -> Json:
        if not self._holds(is_type(value), value, path, f"one of {', '.join(TYPES)}"):
            return value
        return list(dict.fromkeys(one.lower() for one in value)) if isinstance(value, list) else value.lower()

    def properties(self, value: Any, path: str) -> Json:
        number = len(value) if isinstance(value, dict) else 0
        fits = schema_rules.within(self._reading, "properties", number, path)
        return self.named(value, path) if fits else {}

    def by_pattern(self, value: Any, path: str) -> Json:
        for pattern in value if isinstance(value, dict) else ():
            schema_rules.check_pattern(self._reading, pattern, member_path(self._reading, path, pattern))
        return self.properties(value, path)

    def named(self, value: Any, path: str) -> Json:
        if not self._holds(isinstance(value, dict), value, path, "an object of JSON Schemas"):
            return value
        return {key: self.schema(one, member_path(self._reading, path, key)) for key, one in value.items()}

    def listed(self, value: Any, path: str) -> Json:
        if not self._holds(isinstance(value, list) and bool(value), value, path, "a list of JSON Schemas"):
            return value
        return [self.schema(one, f"{path}[{index}]") for index, one in enumerate(value)]

    def items(self, value: Any, path: str) -> Json:
        """Parse one schema for all items or, as in older drafts, one for each of the first."""
        return self.listed(value, path) if isinstance(value, list) else self.schema(value, path)

    def names(self, value: Any, path: str) -> Json:
        fits = isinstance(value, list) and all(isinstance(one, str) for one in value)
        self._holds(fits, value, path, "a list of strings")
        return value

    def members(self, value: Any, path: str) -> Json:
        if self._holds(isinstance(value, list) and bool(value), value, path, "a list of values"):
            schema_rules.within(self._reading, "enum members", len(value), path)
        return value

    def ref(self, value: Any, path: str) -> Json:
        if not self._leads(value):
            self._reading.require(False, path, f"{_REF}, not {self._reading.quoted(value)}")
        return value

    def _leads(self, ref: Any) -> bool:
        """Follow a reference, and those that it leads to, up to what is no reference."""
        seen: set[str] = set()
        while isinstance(ref, str) and ref not in seen and ref not in self._good:
            seen.add(ref)
            target = self._target(ref)
            if not isinstance(target, dict):
                return isinstance(target, bool)
            if "$ref" not in target:
                self._good |= seen
                return True
            ref = target["$ref"]
        return isinstance(ref, str) and ref in self._good

    def _target(self, ref: str) -> Any:
        keys = pointers.keys(ref)
        if keys is None or (keys and (keys[0] not in _DEFINITIONS or len(keys) == 1)):
            return None
        return pointers.at(self._root, ref)

    def _holds(self, fits: bool, value: Any, path: str, what: str) -> bool:
        if not fits:
            self._reading.require(False, path, f"must be {what}, not {self._reading.quoted(value)}")
        return fits


_KEYWORDS: Mapping[str, Callable[[_Schemas, Any, str], Json]] = {
    "type": _Schemas.type,
    "enum": _Schemas.members,
    "required": _Schemas.names,
    "$ref": _Schemas.ref,
    "items": _Schemas.items,
    "properties": _Schemas.properties,
    "patternProperties": _Schemas.by_pattern,
    **dict.fromkeys(_DEFINITIONS, _Schemas.named),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _Schemas.listed),
    **dict.fromkeys(("additionalProperties", "additionalItems", "contains"), _Schemas.schema),
    **dict.fromkeys(("not", "if", "then", "else"), _Schemas.schema),
}


def _of_today(schema: dict[str, Json]) -> Json:
    """Rewrite a tuple as draft 2020-12 has it; `additionalItems` counts beside one only."""
    first = schema.get("items")
    if not isinstance(first, list) or "prefixItems" in schema:
        return schema
    rest = {"items": schema["additionalItems"]} if "additionalItems" in schema else {}
    kept = {key: one for key, one in schema.items() if key not in ("items", "additionalItems")}
    return {**kept, "prefixItems": first, **rest}
