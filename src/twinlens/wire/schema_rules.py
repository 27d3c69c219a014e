"""What schemas must keep in either dialect: caps for all of a request, and keywords that can be obeyed.

Everything is counted as it is read, so that what is too much is never read whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from ..domain import pointers
from ..domain.patterns import MAX_SIZE, UnreadablePattern, read_pattern
from .proto import Reading

Counted = Literal["schemas", "properties", "enum members", "characters of patterns", "steps of patterns"]
Spelling = Callable[[str], str]
"""Gives the name that a keyword of JSON Schema has in paths."""

LIMITS: Mapping[Counted, int] = {
    "schemas": 10_000,
    "properties": 10_000,
    "enum members": 10_000,
    "characters of patterns": 20_000,
    "steps of patterns": MAX_SIZE,
}
"""Of all schemas of a request: that of the answer, and those of functions."""
MAX_DEPTH = 50
MAX_EXPANDED = LIMITS["schemas"]
"""Schemas of one, where each reference counts as what it leads to."""

_COUNTS = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
)
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_NAMED = ("properties", "patternProperties")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "contains", "not", "if", "then", "else")


def within(reading: Reading, what: Counted, number: int, path: str) -> bool:
    """Count so many more, and return whether that is still allowed; report the excess once."""
    before = reading.counts[what]
    reading.counts[what] += number
    if before + number <= LIMITS[what]:
        return True
    is_reported = before > LIMITS[what]
    reading.require(
        is_reported, path, f"the schemas of a request may have at most {LIMITS[what]} {what}, all together"
    )
    return False


def check_pattern(reading: Reading, pattern: Any, path: str) -> None:
    """Refuse a pattern that could not be matched in linear time, or is none."""
    if not isinstance(pattern, str):
        reading.require(False, path, f"must be a regular expression, not {reading.quoted(pattern)}")
        return
    if reading.counts["steps of patterns"] > MAX_SIZE:
        return
    if not within(reading, "characters of patterns", len(pattern), path):
        return
    try:
        size = read_pattern(pattern).size
    except UnreadablePattern as wrong:
        reading.require(False, path, str(wrong))
        # What fails has cost something, too.
        reading.counts["steps of patterns"] += MAX_SIZE // 4
    else:
        within(reading, "steps of patterns", size, path)


def check_keywords(reading: Reading, schema: Mapping[str, Any], path: str, spelt: Spelling) -> None:
    """Refuse counts and bounds that no value can satisfy, and patterns that cannot be matched."""
    if "pattern" in schema:
        check_pattern(reading, schema["pattern"], f"{path}.{spelt('pattern')}")
    for least, most in _COUNTS:
        if least in schema or most in schema:
            _check_counts(reading, schema, (least, most), path, spelt)
    if any(bound in schema for bound in _BOUNDS):
        _check_bounds(reading, schema, path, spelt)
    if "multipleOf" in schema:
        fits = _is_number(schema["multipleOf"]) and schema["multipleOf"] > 0
        reading.require(fits, f"{path}.{spelt('multipleOf')}", "must be a number above 0")


def check_expanded(reading: Reading, schema: Any, path: str) -> None:
    """Refuse a schema that is too deep or too large once its references are followed.

    A reference within what it leads to is followed no further, as those who fill schemas do.
    """
    if reading.counts["schemas"] > LIMITS["schemas"]:
        return
    try:
        _Expansion(schema).size(schema, frozenset(), 1)
    except _TooMuchError as much:
        reading.require(False, path, str(much))


def _check_counts(
    reading: Reading, schema: Mapping[str, Any], pair: tuple[str, str], path: str, spelt: Spelling
) -> None:
    sound = True
    for name in pair:
        if name in schema:
            value = schema[name]
            fits = _is_number(value) and value >= 0 and value == value // 1
            reading.require(fits, f"{path}.{spelt(name)}", "must be a whole number, 0 or more")
            sound = sound and fits
    least, most = (schema.get(name) for name in pair)
    if sound and least is not None and most is not None:
        where = f"{path}.{spelt(pair[1])}"
        reading.require(least <= most, where, f"must not be less than {spelt(pair[0])}")


def _check_bounds(reading: Reading, schema: Mapping[str, Any], path: str, spelt: Spelling) -> None:
    given: dict[str, float] = {}
    for name in _BOUNDS:
        value = schema.get(name)
        # Once, and in OpenAPI 3.0, it said what kind of bound the other one is.
        if value is None or (isinstance(value, bool) and name.startswith("exclusive")):
            continue
        fits = _is_number(value)
        reading.require(fits, f"{path}.{spelt(name)}", "must be a number, and finite")
        if fits:
            given[name] = value
    lowest = max((given[name] for name in _BOUNDS[:2] if name in given), default=-math.inf)
    highest = min((given[name] for name in _BOUNDS[2:] if name in given), default=math.inf)
    exclusive = lowest == given.get("exclusiveMinimum") or highest == given.get("exclusiveMaximum")
    if lowest > highest or (lowest == highest and exclusive):
        last = next(name for name in reversed(_BOUNDS) if name in given)
        reading.require(False, f"{path}.{spelt(last)}", "leaves no number between the bounds")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


class _TooMuchError(Exception):
    pass


class _Expansion:
    """Counts what a schema comes to. Where alternatives stand beside properties, each has them all."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._visited = 0

    def size(self, schema: Any, open_refs: frozenset[str], depth: int) -> int:
        if not isinstance(schema, Mapping):
            return 1
        self._visited += 1
        if depth > MAX_DEPTH:
            raise _TooMuchError(
                f"is nested too deeply: at most {MAX_DEPTH} schemas may lie within one another, "
                "references followed"
            )
        alternatives = math.prod(len(_listed(schema, key)) or 1 for key in ("anyOf", "oneOf"))
        found = 1
        for one in _inner(schema):
            found += alternatives * self.size(one, open_refs, depth + 1)
        for key in _LISTED:
            for one in _listed(schema, key):
                found += self.size(one, open_refs, depth + 1)
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in open_refs:
            found += self.size(pointers.at(self._root, ref), open_refs | {ref}, depth + 1)
        if max(found, self._visited) > MAX_EXPANDED:
            raise _TooMuchError(
                f"is too large: it may come to at most {MAX_EXPANDED} schemas, references followed"
            )
        return found


def _inner(schema: Mapping[str, Any]) -> Iterator[Any]:
    for key in _NAMED:
        if isinstance(named := schema.get(key), Mapping):
            yield from named.values()
    yield from (schema[key] for key in _SINGLE if key in schema)


def _listed(schema: Mapping[str, Any], key: str) -> list[Any]:
    found = schema.get(key)
    return found if isinstance(found, list) else []
