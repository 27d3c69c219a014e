"""JSON Schema as far as filling one needs it: references, what a value must be, and neutral values.

It knows no facts. Patterns come from strangers and run on our own short texts; one that could take
long is not run at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, isfinite

from ...domain.errors import InvalidArgument
from ...domain.media import Json

Schema = Mapping[str, Json]

_MOST_PLACES = 20_000
_DEEPEST = 24
_LONGEST_TESTED = 200
_MOST_LOOPS = 3
_UNKNOWN = ("unknown", "other", "none", "n/a", "na", "unspecified", "undefined", "not specified", "unclear")
_NEUTRAL_FORMATS: Mapping[str, str] = {
    "date": "0001-01-01",
    "date-time": "0001-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "unknown@unknown.invalid",
    "hostname": "unknown.invalid",
    "uri": "about:blank",
    "ipv4": "0.0.0.0",  # noqa: S104 - nothing listens on it
    "ipv6": "::",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
_NEUTRAL_TEXTS = (
    "",
    "unknown",
    "-",
    "0",
    "00",
    "000",
    "0000",
    "00000",
    "0000-00-00",
    "00:00",
    "0.00",
    "A",
    "AA",
)


class Schemas:
    """The schema of one request, with its references and a count of what was visited."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self._visited = 0

    def visit(self) -> None:
        """Count one more place of the schema; a schema that has too many is refused."""
        self._visited += 1
        if self._visited > _MOST_PLACES:
            raise InvalidArgument(
                "The response schema is too large for the built-in engine.",
                field="generation_config.response_schema",
            )

    def plain(self, schema: Json, depth: int) -> Schema:
        """Follow references and join `allOf`, so that all keywords stand side by side."""
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return {}
        for _ in range(_DEEPEST):
            if not isinstance(schema.get("$ref"), str):
                break
            target = self._target(schema["$ref"])
            schema = {**target, **{key: schema[key] for key in schema if key != "$ref"}}
        parts = schema.get("allOf")
        joined: Schema = {key: schema[key] for key in schema if key != "allOf"}
        if not isinstance(parts, list | tuple):
            return joined
        for part in parts:
            self.visit()
            joined = _merged(joined, self.plain(part, depth + 1))
        return joined

    def _target(self, pointer: str) -> Schema:
        place = self.root
        for key in pointer.lstrip("#").strip("/").split("/"):
            key = key.replace("~1", "/").replace("~0", "~")
            if isinstance(place, Mapping) and key in place:
                place = place[key]
            elif key:
                return {}
        return place if isinstance(place, Mapping) else {}


def types(schema: Schema) -> tuple[str, ...]:
    """Name the types a value may have, null left out; guessed from the keywords where none is given."""
    said = schema.get("type")
    if isinstance(said, str):
        return () if said == "null" else (said,)
    if isinstance(said, Sequence):
        return tuple(t for t in said if isinstance(t, str) and t != "null")
    hints = {"object": ("properties", "required"), "array": ("items", "prefixItems", "minItems")}
    return tuple(name for name, keys in hints.items() if any(key in schema for key in keys))[:1]


def is_nullable(schema: Schema) -> bool:
    """Tell whether null is a valid value, as far as the schema's own keywords say."""
    said = schema.get("type")
    if "enum" in schema:
        return None in members(schema)
    return (
        said == "null"
        or (isinstance(said, list | tuple) and "null" in said)
        or schema.get("nullable") is True
    )


def members(schema: Schema) -> list[Json]:
    """Give the values of an enumeration."""
    said = schema.get("enum")
    return list(said) if isinstance(said, list | tuple) else []


def neutral_member(values: Sequence[Json]) -> Json:
    """Choose the member that says unknown, else the last."""
    if None in values:
        return None
    for word in _UNKNOWN:
        for value in values:
            if isinstance(value, str) and value.casefold().replace("_", " ").replace("-", " ") == word:
                return value
    return values[-1]


def neutral_string(schema: Schema) -> str:
    """Give a string that says nothing and is valid; the empty one wherever that is allowed."""
    least = _whole(schema.get("minLength"), 0)
    form = str(schema.get("format"))
    texts = (_NEUTRAL_FORMATS[form],) if form in _NEUTRAL_FORMATS else _NEUTRAL_TEXTS
    padded = "-" * min(least, 10_000)
    return next((text for text in (*texts, padded) if fits_string(text, schema)), padded)


def neutral_number(schema: Schema) -> float:
    """Give zero, or the valid number nearest to it."""
    step = _number(schema.get("multipleOf")) or (1.0 if types(schema) == ("integer",) else 0.0)
    lowest, highest = _bounds(schema, step)
    value = min(max(0.0, lowest), highest)
    if not step:
        return value
    return (ceil(value / step) if value >= lowest > 0 else floor(value / step)) * step


def fits_string(text: str, schema: Schema) -> bool:
    """Tell whether a string keeps the schema's length and pattern."""
    if len(text) < _whole(schema.get("minLength"), 0) or len(text) > _whole(
        schema.get("maxLength"), len(text)
    ):
        return False
    pattern = schema.get("pattern")
    return not isinstance(pattern, str) or _matches(pattern, text)


def fits_number(value: float, schema: Schema) -> bool:
    """Tell whether a number is finite and keeps the schema's bounds and steps."""
    if not isfinite(value) or (types(schema) == ("integer",) and value != int(value)):
        return False
    step = _number(schema.get("multipleOf"))
    if step and abs(value / step - round(value / step)) > 1e-9:
        return False
    lowest, highest = _bounds(schema, 0.0)
    return lowest <= value <= highest


def bounds_of_items(schema: Schema) -> tuple[int, int | None]:
    """Give how many items an array must have, and how many it may have."""
    most = schema.get("maxItems")
    return _whole(schema.get("minItems"), 0), most if isinstance(most, int) and most >= 0 else None


def _merged(first: Schema, second: Schema) -> Schema:
    joined = {**first, **second}
    one, other = first.get("properties"), second.get("properties")
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        joined["properties"] = {**one, **other}
    one, other = first.get("required"), second.get("required")
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        joined["required"] = [*one, *other]
    return joined


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    """Give the inclusive bounds; an exclusive one is moved by a step, or by a small part of it."""
    lowest, highest = float("-inf"), float("inf")
    moves: tuple[tuple[str, Callable[[float], float]], ...] = (
        ("minimum", float),
        ("exclusiveMinimum", lambda bound: bound + (step or max(abs(bound), 1) * 1e-6)),
    )
    for key, move in moves:
        if (bound := _number(schema.get(key))) is not None:
            lowest = max(lowest, move(bound))
    moves = (
        ("maximum", float),
        ("exclusiveMaximum", lambda bound: bound - (step or max(abs(bound), 1) * 1e-6)),
    )
    for key, move in moves:
        if (bound := _number(schema.get(key))) is not None:
            highest = min(highest, move(bound))
    return lowest, highest


def _matches(pattern: str, text: str) -> bool:
    """Search a stranger's pattern; one that is wrong, or could take long, counts as matching."""
    loops = len(re.findall(r"(?<!\\)[*+]|\{\d*,\d*\}", pattern))
    if len(text) > _LONGEST_TESTED or loops > _MOST_LOOPS or re.search(r"\)[*+{]", pattern):
        return True
    try:
        return re.search(pattern, text) is not None
    except (re.error, OverflowError, RecursionError):
        return True


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _whole(value: Json, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
