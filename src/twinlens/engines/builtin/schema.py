"""JSON Schema as far as filling one needs it: references, what a value must be, and neutral values.

It knows no facts. Where no neutral value keeps what the schema asks for, there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, inf, isfinite, nextafter

from ...domain import pointers
from ...domain.errors import InvalidArgument
from ...domain.media import Json
from ...domain.patterns import MAX_EXAMPLE, Pattern, UnreadablePattern, read_pattern
from .forms import is_form

Schema = Mapping[str, Json]

SCHEMA_FIELD = "generation_config.response_schema"
_OF_STRINGS = ("pattern", "format", "minLength", "maxLength")
_MOST_PLACES = 60_000
"""Of the answer, a second's work: a schema has up to 10 000, and those of rows count once for each row."""
_DEEPEST = 50
_EXACT = float(1 << 53)
"""Up to here doubles tell whole numbers apart."""
_UNKNOWN = ("unknown", "other", "none", "n/a", "na", "unspecified", "undefined", "not specified", "unclear")
_NEUTRAL_FORMATS: Mapping[str, str] = {
    "date": "0001-01-01",
    "date-time": "0001-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    **dict.fromkeys(("email", "idn-email"), "unknown@unknown.invalid"),
    **dict.fromkeys(("hostname", "idn-hostname"), "unknown.invalid"),
    **dict.fromkeys(("uri", "iri"), "about:blank"),
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
    """The schema of one request, with its references, its patterns and a count of what was visited."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self._visited = 0
        self._patterns: dict[str, Pattern] = {}
        self._neutral: dict[tuple[str, ...], str | None] = {}

    def visit(self) -> None:
        """Count one more place of the schema; a schema that has too many is refused."""
        self._visited += 1
        if self._visited > _MOST_PLACES:
            raise InvalidArgument(
                f"The response schema is too large for the built-in engine: the answer would have more than "
                f"{_MOST_PLACES} places.",
                field=SCHEMA_FIELD,
            )

    def pattern(self, schema: Schema) -> Pattern | None:
        """Read a place's pattern, once for all rows that have it."""
        pattern = schema.get("pattern")
        if not isinstance(pattern, str):
            return None
        if pattern not in self._patterns:
            try:
                self._patterns[pattern] = read_pattern(pattern)
            except UnreadablePattern as error:
                sentence = f"A pattern of the response schema {error}."
                raise InvalidArgument(sentence, field=SCHEMA_FIELD) from error
        return self._patterns[pattern]

    def neutral_string(self, schema: Schema) -> str | None:
        """Give a place's neutral string, looked for once for all rows."""
        rules = tuple(str(schema.get(key)) for key in _OF_STRINGS)
        if rules not in self._neutral:
            self._neutral[rules] = neutral_string(schema, self.pattern(schema))
        return self._neutral[rules]

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
        place = pointers.at(self.root, pointer)
        return place if isinstance(place, Mapping) else {}


def types(schema: Schema) -> tuple[str, ...]:
    """Name the types a value may have, null left out; guessed from the keywords where none is given."""
    said = schema.get("type")
    if isinstance(said, str):
        return () if said == "null" else (said,)
    if isinstance(said, Sequence):
        return tuple(dict.fromkeys(t for t in said if isinstance(t, str) and t != "null"))
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


def neutral_string(schema: Schema, pattern: Pattern | None) -> str | None:
    """Give a string that says nothing and is valid: the empty one where that is allowed; None for none."""
    texts: Sequence[str] = _NEUTRAL_TEXTS
    if (form := str(schema.get("format"))) in _NEUTRAL_FORMATS:
        texts = (_NEUTRAL_FORMATS[form],)
    candidates = _candidates(texts, schema, pattern)
    return next((text for text in candidates if fits_string(text, schema, pattern)), None)


def neutral_number(schema: Schema) -> float | None:
    """Give zero, or a valid number near to it; None where none is found."""
    numbers = (number for number in _numbers(schema) if fits_number(number, schema))
    return next(numbers, None)


def fits_string(text: str, schema: Schema, pattern: Pattern | None) -> bool:
    """Tell whether a string keeps the schema's length, pattern and format."""
    if not _whole(schema.get("minLength"), 0) <= len(text) <= _whole(schema.get("maxLength"), len(text)):
        return False
    return (pattern is None or pattern.matches(text)) and is_form(text, str(schema.get("format")))


def fits_number(value: float, schema: Schema) -> bool:
    """Tell whether a number is finite and keeps the schema's bounds and steps."""
    number = _number(value)
    if number is None or not isfinite(number) or ("integer" in types(schema) and number != floor(number)):
        return False
    step = _step(schema)
    lowest, highest = _bounds(schema)
    return lowest <= number <= highest and (step is None or _is_multiple(number, step))


def bounds_of_items(schema: Schema) -> tuple[int, int | None]:
    """Give how many items an array must have, and how many it may have."""
    most = _whole(schema.get("maxItems"), -1)
    return _whole(schema.get("minItems"), 0), most if most >= 0 else None


def bounds_of_properties(schema: Schema) -> tuple[int, int | None]:
    """Give how many properties an object must have, and how many it may have."""
    most = _whole(schema.get("maxProperties"), -1)
    return _whole(schema.get("minProperties"), 0), most if most >= 0 else None


def _merged(first: Schema, second: Schema) -> Schema:
    joined = {**first, **second}
    one, other = first.get("properties"), second.get("properties")
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        joined["properties"] = {**one, **other}
    one, other = first.get("required"), second.get("required")
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        joined["required"] = [*one, *other]
    return joined


def _is_multiple(number: float, step: float) -> bool:
    """Tell whether a number is so many steps; beyond what doubles tell apart, every one is."""
    count = number / step
    if abs(count) >= _EXACT:
        return True
    if step.is_integer():
        return number % step == 0
    return abs(count - round(count)) <= 1e-9 and (round(count) != 0 or number == 0)


def _candidates(texts: Sequence[str], schema: Schema, pattern: Pattern | None) -> Iterator[str]:
    """Give texts that may be valid, those that say least first; none is longer than an example may be."""
    yield from texts
    least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), MAX_EXAMPLE)
    if least > MAX_EXAMPLE:
        return
    padding = [(text, "-" * (least - len(text))) for text in texts]
    yield "-" * least
    yield from (pad.replace("-", "x") + text for text, pad in padding)
    yield from (text + pad for text, pad in padding)
    example = pattern.example(least, most) if pattern is not None else None
    if example is not None:
        yield example


def _numbers(schema: Schema) -> Iterator[float]:
    """Give numbers that may be valid: zero, the bounds, multiples of steps beside them, and their middle."""
    lowest, highest = _bounds(schema)
    said = [_number(schema.get(bound)) for bound in ("minimum", "maximum")]
    yield from (0.0, *(bound for bound in said if bound is not None))
    for base in (0.0, lowest, highest):
        for step in (_step(schema), 1.0):
            if step is not None and abs(count := base / step) < _EXACT:
                yield from (floor(count) * step, ceil(count) * step)
                yield from ((floor(count) - 1) * step, (ceil(count) + 1) * step)
    if _step(schema) is None and isfinite(middle := (lowest + highest) / 2):
        yield from (round(middle, digits) for digits in (1, 3, 6))
        yield from (middle, lowest, highest)


def _bounds(schema: Schema) -> tuple[float, float]:
    """Give the inclusive bounds; an exclusive one is moved to the next number that there is.

    A bound is exclusive, too, where draft 4 says so beside it.
    """
    lowest, highest = _number(schema.get("minimum")), _number(schema.get("maximum"))
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    exclusive = lowest if above is True else _number(above), highest if below is True else _number(below)
    lows = (lowest, None if exclusive[0] is None else nextafter(exclusive[0], inf))
    highs = (highest, None if exclusive[1] is None else nextafter(exclusive[1], -inf))
    return (
        max((bound for bound in lows if bound is not None), default=-inf),
        min((bound for bound in highs if bound is not None), default=inf),
    )


def _step(schema: Schema) -> float | None:
    step = _number(schema.get("multipleOf"))
    return step if step is not None and 0 < step < inf else None


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _whole(value: Json, otherwise: int) -> int:
    """Read a count, also one written as 2.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
