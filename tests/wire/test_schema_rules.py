"""What schemas must keep, in either dialect."""

from __future__ import annotations

from typing import Any

import pytest

from twinlens.wire.json import JsonText
from twinlens.wire.proto import Reading
from twinlens.wire.schema_rules import LIMITS, check_expanded, check_keywords, check_pattern, within


def reading() -> Reading:
    return Reading(JsonText({}), "GenerateContentRequest")


def told(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the fields that are wrong, and why."""
    own = reading()
    check_keywords(own, schema, "s", lambda name: name)
    return [(each.field, each.description.partition(": ")[2]) for each in own.violations]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"minItems": 0, "maxItems": 3},
        {"minLength": 2.0},
        {"minimum": 1, "maximum": 1},
        {"exclusiveMinimum": True, "minimum": 1},
        {"multipleOf": 0.5},
        {"pattern": "^a+$"},
    ],
)
def test_what_a_value_can_keep_is_let_through(schema: dict[str, Any]) -> None:
    assert told(schema) == []


@pytest.mark.parametrize(
    ("schema", "field", "why"),
    [
        ({"minItems": -1}, "s.minItems", "must be a whole number, 0 or more"),
        ({"maxLength": 1.5}, "s.maxLength", "must be a whole number, 0 or more"),
        ({"minItems": True}, "s.minItems", "must be a whole number, 0 or more"),
        ({"minItems": 3, "maxItems": 2}, "s.maxItems", "must not be less than minItems"),
        ({"minimum": "1"}, "s.minimum", "must be a number, and finite"),
        ({"maximum": 10**400}, "s.maximum", "must be a number, and finite"),
        ({"minimum": 2, "maximum": 1}, "s.maximum", "leaves no number between the bounds"),
        ({"minimum": 1, "exclusiveMaximum": 1}, "s.exclusiveMaximum", "leaves no number between the bounds"),
        ({"multipleOf": 0}, "s.multipleOf", "must be a number above 0"),
        ({"pattern": 7}, "s.pattern", "must be a regular expression, not 7"),
    ],
)
def test_what_no_value_could_keep_is_refused(schema: dict[str, Any], field: str, why: str) -> None:
    assert told(schema) == [(field, why)]


def test_a_limit_counts_all_schemas_of_a_request_and_is_told_once() -> None:
    own = reading()

    assert within(own, "enum members", LIMITS["enum members"], "a")
    assert not within(own, "enum members", 1, "b")
    assert not within(own, "enum members", 1, "c")

    assert [each.field for each in own.violations] == ["b"]


def test_patterns_together_have_a_limit() -> None:
    own = reading()
    for _ in range(6):
        check_pattern(own, "a" * 4000, "s.pattern")

    (said,) = own.violations
    assert "characters of patterns" in said.description


def test_a_schema_that_grows_by_its_references_is_refused() -> None:
    own = reading()
    definitions = {
        f"d{level}": {"properties": {key: {"$ref": f"#/$defs/d{level + 1}"} for key in "abcdefghij"}}
        for level in range(6)
    }
    check_expanded(own, {"$ref": "#/$defs/d0", "$defs": {**definitions, "d6": {"type": "string"}}}, "s")

    assert [each.field for each in own.violations] == ["s"]


def test_a_schema_that_leads_back_to_itself_is_no_larger_for_that() -> None:
    own = reading()
    tree = {"properties": {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/$defs/tree"}}}
    check_expanded(own, {"$ref": "#/$defs/tree", "$defs": {"tree": tree}}, "s")

    assert own.violations == []
