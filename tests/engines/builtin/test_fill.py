from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlens.domain.errors import InvalidArgument
from twinlens.domain.media import Json
from twinlens.domain.regions import Box
from twinlens.engines.builtin.evidence import Answer, Evidence
from twinlens.engines.builtin.facts import Facts, Line
from twinlens.engines.builtin.fill import Filled, fill
from twinlens.engines.builtin.intents import read
from twinlens.engines.builtin.replies import Reply

Ask = Callable[..., Reply]


def filled(schema: Json, *facts: Facts, question: str = "Extract the data") -> Filled:
    evidence = Evidence(read(question), facts, Answer("It cannot be told.", known=False))
    result = fill(schema, evidence)
    jsonschema.validate(result.value, schema)
    return result


def an_object(required: bool = True, **properties: Json) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required else []}


STRING = {"type": "string"}
NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}
DATE = {"type": "string", "format": "date"}
NULLABLE = {"type": ["string", "null"]}


def test_an_invoice_is_filled_from_the_words_beside_its_labels(invoice: Facts) -> None:
    item = an_object(description=STRING, quantity=INTEGER, unit_price=NUMBER, total=NUMBER)
    schema = an_object(
        invoice_number=STRING,
        invoiceDate=DATE,
        due_date=DATE,
        customer=an_object(name=STRING),
        subtotal=NUMBER,
        tax=NUMBER,
        total_amount=NUMBER,
        currency=STRING,
        email=STRING,
        line_items={"type": "array", "items": item},
    )

    result = filled(schema, invoice)

    assert result.value == {
        "invoice_number": "INV-2026-001",
        "invoiceDate": "2026-11-20",
        "due_date": "2026-12-20",
        "customer": {"name": "Jane Doe"},
        "subtotal": 1209,
        "tax": 229.71,
        "total_amount": 1438.71,
        "currency": "USD",
        "email": "billing@acme.example",
        "line_items": [
            {"description": "Widget", "quantity": 2, "unit_price": 4.5, "total": 9},
            {"description": "Gadget", "quantity": 1, "unit_price": 1200, "total": 1200},
        ],
    }
    assert list(result.value) == list(schema["properties"])
    assert not result.gaps


def test_what_is_missing_is_null_where_null_is_allowed(invoice: Facts) -> None:
    any_of = {"anyOf": [STRING, {"type": "null"}]}

    result = filled(an_object(purchase_order=NULLABLE, iban=any_of), invoice)

    assert result.value == {"purchase_order": None, "iban": None}
    assert not result.gaps


def test_what_is_missing_and_not_required_is_left_out(invoice: Facts) -> None:
    assert filled(an_object(required=False, notes=STRING, total=NUMBER), invoice).value == {"total": 1438.71}


def test_what_is_forced_is_neutral_and_named(invoice: Facts) -> None:
    schema = an_object(
        notes=STRING,
        weight=NUMBER,
        urgent={"type": "boolean"},
        tags={"type": "array", "items": STRING},
        mood={"type": "string", "enum": ["calm", "unknown", "tense"]},
        genre={"type": "string", "enum": ["noir", "western"]},
        owner=an_object(hobby=STRING),
    )

    result = filled(schema, invoice)

    assert result.value == {
        "notes": "",
        "weight": 0,
        "urgent": False,
        "tags": [],
        "mood": "unknown",
        "genre": "western",
        "owner": {"hobby": ""},
    }
    assert result.gaps == ("notes", "weight", "urgent", "tags", "mood", "genre", "owner.hobby")


def test_the_finish_message_names_the_neutral_fields(ask: Ask, invoice: Facts) -> None:
    reply = ask("Extract", invoice, schema=an_object(total=NUMBER, notes=STRING))

    assert json.loads(reply.text) == {"total": 1438.71, "notes": ""}
    assert reply.message is not None
    assert reply.message.startswith("No fact was found for: notes;")


def test_the_customers_address_is_not_guessed_from_the_only_one_on_the_page(invoice: Facts) -> None:
    assert filled(an_object(customer=an_object(email=STRING)), invoice).value == {"customer": {"email": ""}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "minLength": 3}, "unknown"),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "---------"),
        ({"type": "string", "pattern": "^[0-9]{4}$"}, "0000"),
        (DATE, "0001-01-01"),
        ({"type": "number", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "minimum": 1, "multipleOf": 4}, 4),
        ({"type": "array", "items": INTEGER, "minItems": 2}, [0, 0]),
        ({"const": "v1"}, "v1"),
        ({"enum": [1, 2, None]}, None),
    ],
)
def test_neutral_values_keep_the_schemas_limits(photo: Facts, schema: Json, value: Json) -> None:
    assert filled(an_object(weight=schema), photo).value == {"weight": value}


def test_pictures_facts_go_by_their_names(poster: Facts) -> None:
    schema = an_object(
        width=INTEGER,
        image_height=INTEGER,
        face_count=INTEGER,
        has_text={"type": "boolean"},
        is_blurry={"type": "boolean"},
        dominant_color={"type": "string", "enum": ["green", "red", "blue"]},
        image_type={"type": "string", "enum": ["photo", "illustration", "chart"]},
        text_lines={"type": "array", "items": STRING},
        codes={"type": "array", "items": an_object(type=STRING, content=STRING)},
        bars={"type": "array", "items": an_object(label=STRING, value=NUMBER)},
        chart_title=STRING,
    )

    result = filled(schema, poster)

    assert result.value == {
        "width": 800,
        "image_height": 600,
        "face_count": 0,
        "has_text": True,
        "is_blurry": True,
        "dominant_color": "red",
        "image_type": "illustration",
        "text_lines": ["OPEN 24 HOURS", "Exit"],
        "codes": [{"type": "QR code", "content": "https://example.com/x"}],
        "bars": [{"label": "North", "value": 12.5}, {"label": "South", "value": 30}],
        "chart_title": "Sales",
    }


def test_references_and_alternatives_are_followed(invoice: Facts) -> None:
    schema = {
        "$defs": {"Money": an_object(total=NUMBER), "Letter": an_object(salutation=STRING)},
        "oneOf": [{"$ref": "#/$defs/Letter"}, {"$ref": "#/$defs/Money"}],
    }

    assert filled(schema, invoice).value == {"total": 1438.71}


@pytest.mark.parametrize(("name", "ref"), [("", "#/$defs/"), ("a/~ %", "#/$defs/a~1~0%20%25")])
def test_a_definition_may_have_any_name(invoice: Facts, name: str, ref: str) -> None:
    schema = {"$defs": {name: an_object(total=NUMBER)}, "$ref": ref}

    assert filled(schema, invoice).value == {"total": 1438.71}


def test_a_schema_that_holds_itself_comes_to_an_end(invoice: Facts) -> None:
    node = {"$ref": "#/$defs/Node"}
    schema = {
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "total": NUMBER,
                    "left": node,
                    "right": node,
                    "more": {"type": "array", "items": node},
                },
                "required": ["total", "more"],
            }
        },
        **node,
    }

    assert filled(schema, invoice).value == {"total": 1438.71, "more": []}


def test_an_object_without_named_fields_takes_all_labelled_values(invoice: Facts) -> None:
    schema = an_object(fields={"type": "object", "additionalProperties": STRING})

    assert filled(schema, invoice).value == {"fields": {"Invoice date": "20 Nov 2026"}}


def test_a_date_that_may_be_read_two_ways_is_remarked_on(ask: Ask, poster: Facts) -> None:
    dated = replace(poster, lines=(Line("Date: 03/04/2026", 0.9, Box(0, 0, 20, 200), (), 0),))

    reply = ask("Extract", dated, schema=an_object(date=DATE))

    assert json.loads(reply.text) == {"date": "2026-03-04"}
    assert reply.message == "date was read with the month first."


@pytest.mark.parametrize(
    ("question", "members", "chosen"),
    [
        ("Is there any text?", ["yes", "no"], "yes"),
        ("Is the image sharp?", ["yes", "no"], "no"),
        ("What kind of image is this?", ["photo", "drawing"], "drawing"),
        ("What is the main colour?", ["blue", "crimson"], "crimson"),
        ("How many codes are there?", ["0", "1", "2"], "1"),
    ],
)
def test_one_of_several_words_is_chosen_by_facts(
    ask: Ask, poster: Facts, question: str, members: list[str], chosen: str
) -> None:
    reply = ask(question, poster, schema={"type": "string", "enum": members}, mime_type="text/x.enum")

    assert reply.text == chosen
    assert reply.message is None


def test_a_choice_without_a_fact_is_the_unknown_or_the_last(ask: Ask, photo: Facts) -> None:
    schema = {"type": "string", "enum": ["Percussion", "String", "Brass"]}

    reply = ask("What instrument is this?", photo, schema=schema, mime_type="text/x.enum")

    assert reply.text == "Brass"
    assert reply.message is not None
    assert reply.message.startswith("No fact was found for: the whole answer")


NAMES = st.sampled_from(
    [
        "total",
        "invoice_number",
        "date",
        "text",
        "items",
        "box_2d",
        "label",
        "colour",
        "faceCount",
        "x",
        "",
        "ünï",
    ]
)
LEAVES = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": ["string", "null"]}),
    st.builds(lambda n: {"type": "string", "minLength": n}, st.integers(0, 20)),
    st.builds(lambda n: {"type": "string", "maxLength": n}, st.integers(0, 20)),
    st.sampled_from(
        [{"type": "string", "format": f} for f in ("date", "date-time", "time", "uri", "email", "odd")]
    ),
    st.builds(
        lambda n, m: {"type": "integer", "minimum": n, "maximum": n + m},
        st.integers(-9, 9),
        st.integers(0, 9),
    ),
    st.builds(lambda n: {"type": "number", "exclusiveMaximum": n}, st.integers(-9, 9)),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({}),
    st.builds(
        lambda m: {"enum": m},
        st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=1, max_size=4),
    ),
    st.builds(lambda c: {"const": c}, st.one_of(st.text(), st.integers(), st.booleans())),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, inner, max_size=4)
    return st.one_of(
        st.builds(
            lambda p, all_of_them: {
                "type": "object",
                "properties": p,
                "required": list(p) if all_of_them else [],
            },
            properties,
            st.booleans(),
        ),
        st.builds(lambda p: {"type": ["object", "null"], "properties": p}, properties),
        st.builds(lambda i, n: {"type": "array", "items": i, "minItems": n}, inner, st.integers(0, 3)),
        st.builds(lambda i: {"type": "array", "items": i, "maxItems": 2}, inner),
        st.builds(lambda b: {"anyOf": b}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda v: {"type": "object", "additionalProperties": v}, inner),
    )


@given(schema=st.recursive(LEAVES, nested, max_leaves=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_sensible_schema_gets_a_valid_value(invoice: Facts, poster: Facts, schema: Json) -> None:
    result = filled(schema, invoice, poster)

    json.dumps(result.value, allow_nan=False)


KEYWORDS = st.sampled_from(
    [
        *("type", "properties", "items", "required", "enum", "anyOf", "oneOf", "allOf", "$ref", "format"),
        *("pattern", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "multipleOf"),
        *("prefixItems", "additionalProperties", "minProperties", "const", "title", "description"),
    ]
)
VALUES = st.sampled_from(["object", "array", "string", "number", "#", "(a+)+$", "date"])
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), VALUES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYWORDS, inner, max_size=4)),
    max_leaves=12,
)


@given(schema=ANYTHING)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_senseless_schema_raises_nothing(invoice: Facts, schema: Json) -> None:
    evidence = Evidence(read("Extract"), (invoice,), Answer("", known=False))

    with suppress(InvalidArgument):
        assert isinstance(fill(schema, evidence), Filled)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"}, "XXX-0000"),
        ({"type": "string", "pattern": "^(?:open|shut)$"}, "open"),
        ({"type": "string", "pattern": "^[^\\W\\d]+$", "minLength": 5, "maxLength": 5}, "xxxxx"),
        ({"type": "string", "pattern": "^INV", "minLength": 6}, "INV---"),
        ({"type": "string", "minLength": 10_000, "maxLength": 10_000}, "-" * 10_000),
        ({"type": "string", "format": "email", "minLength": 30}, "xxxxxxxunknown@unknown.invalid"),
        ({"type": "string", "format": "date", "pattern": "^2\\d{3}-01-01$"}, "2000-01-01"),
        ({"type": "string", "format": "ipv4", "pattern": "^10[.]0[.]0[.][12]$"}, "10.0.0.1"),
        ({"type": "number", "multipleOf": 1e-308}, 0),
        ({"type": "number", "multipleOf": 1e308, "minimum": 1}, 1e308),
        ({"type": "number", "multipleOf": 0.01, "minimum": 0.1, "maximum": 0.1}, 0.1),
        ({"type": "number", "minimum": 1e308}, 1e308),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 1}, 1),
        ({"type": "integer", "multipleOf": 2.5, "minimum": 1, "maximum": 5}, 5),
        ({"type": "integer", "minimum": -(2**70)}, 0),
        ({"type": "array", "items": STRING, "minItems": 1000}, [""] * 1000),
        ({"type": "array", "prefixItems": [STRING, NUMBER], "minItems": 2, "maxItems": 2}, ["", 0]),
        ({"type": "array", "prefixItems": [STRING, NUMBER], "maxItems": 1}, [""]),
        ({"type": "array", "prefixItems": [STRING], "items": NUMBER, "minItems": 3.0}, ["", 0, 0]),
        ({"type": "object", "required": ["a"], "additionalProperties": NUMBER}, {"a": 0}),
        ({"type": "object", "properties": {"a": NUMBER, "b": NUMBER}, "minProperties": 1}, {"a": 0}),
        ({"anyOf": [{"type": "string", "pattern": "a$b"}, NUMBER]}, 0),
        (
            {
                "type": "object",
                "properties": {"a": NUMBER, "b": {"pattern": "a$b", "type": "string"}},
                "minProperties": 1,
            },
            {"a": 0},
        ),
        ({"type": ["string", "null"], "minLength": 10**9}, None),
    ],
)
def test_what_is_forced_keeps_every_rule_of_the_schema(photo: Facts, schema: Json, value: Json) -> None:
    assert filled(an_object(weight=schema), photo).value == {"weight": value}


def test_bounds_are_exclusive_where_draft_4_says_so(photo: Facts) -> None:
    schema = {"type": "number", "minimum": 2, "exclusiveMinimum": True}

    assert fill(schema, Evidence(read("Extract"), (photo,), Answer("", known=False))).value == 3


IMPOSSIBLE = [
    {"type": "string", "pattern": "a$b"},
    {"type": "string", "pattern": "^\\d{5}$", "maxLength": 4},
    {"type": "string", "minLength": 10**9},
    {"type": "string", "format": "uuid", "maxLength": 5},
    {"type": "string", "format": "date", "pattern": "^never$"},
    {"type": "integer", "minimum": 0.2, "maximum": 0.8},
    {"type": "number", "multipleOf": 5, "minimum": 1, "maximum": 4},
    {"type": "array", "items": STRING, "minItems": 10**9},
    {"type": "array", "items": STRING, "minItems": 2, "uniqueItems": True},
    {"type": "array", "prefixItems": [STRING], "items": False, "minItems": 2},
    {"type": "array", "items": {"type": "string", "minLength": 10**9}, "minItems": 1},
    {"type": "object", "minProperties": 1},
    {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a", "b"], "maxProperties": 1},
    {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False},
    False,
]


@pytest.mark.parametrize("schema", IMPOSSIBLE)
def test_what_is_forced_and_cannot_be_is_refused_with_its_place(photo: Facts, schema: Json) -> None:
    with pytest.raises(InvalidArgument, match="forces a value for weight") as caught:
        filled(an_object(weight=schema), photo)

    assert [one.field for one in caught.value.violations] == ["generation_config.response_schema"]


@pytest.mark.parametrize("schema", IMPOSSIBLE)
def test_what_cannot_be_is_left_out_where_it_is_not_required(photo: Facts, schema: Json) -> None:
    whole = {"type": "object", "properties": {"weight": schema, "width": INTEGER}, "required": ["width"]}

    assert filled(whole, photo).value == {"width": photo.width}


def test_a_fact_that_has_not_the_form_asked_for_is_none(invoice: Facts) -> None:
    schema = an_object(
        invoice_number={"type": "string", "format": "uuid"}, total={"type": "string", "pattern": "^EUR"}
    )

    assert filled(schema, invoice).value == {
        "invoice_number": "00000000-0000-0000-0000-000000000000",
        "total": "EUR",
    }


def test_places_below_the_rows_of_a_table_are_counted_too(invoice: Facts) -> None:
    inner: Json = NUMBER
    for _ in range(14):
        inner = {"anyOf": [inner, inner]}
    schema = an_object(line_items={"type": "array", "items": an_object(description=STRING, total=inner)})
    rows = [["Description", "Total"], *([f"Item {i}", "1.00"] for i in range(100))]
    (table,) = invoice.tables or ()
    table = replace(table, rows=tuple(map(tuple, rows)))

    with pytest.raises(InvalidArgument, match="too large for the built-in engine"):
        filled(schema, replace(invoice, tables=(table,)))


PATTERNS = st.sampled_from(["^\\d+$", "^[a-f]{2,4}$", "x|yy", "^$", "^.{3}-", "\\s$", "^(?:ab)*$", "a$b"])
SIZES = st.integers(0, 12)
STRICT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "pattern": PATTERNS,
            "minLength": SIZES,
            "maxLength": SIZES,
            "format": st.sampled_from(["date", "email", "ipv4", "ipv6", "uuid", "date-time"]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["number", "integer"])},
        optional={
            **dict.fromkeys(
                ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers(-9, 9)
            ),
            "multipleOf": st.sampled_from([1, 2, 3, 0.5, 7]),
        },
    ),
)


def constrained(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": SIZES, "maxItems": SIZES, "uniqueItems": st.booleans()},
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
            optional={
                "minProperties": st.integers(0, 3),
                "maxProperties": st.integers(0, 3),
                "required": st.lists(NAMES, max_size=2, unique=True),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "prefixItems": st.lists(inner, min_size=1, max_size=3)},
            optional={"minItems": SIZES, "maxItems": SIZES},
        ),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
    )


@given(schema=st.recursive(STRICT, constrained, max_leaves=8))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_strict_schema_gets_a_valid_value_or_is_refused(invoice: Facts, schema: Json) -> None:
    with suppress(InvalidArgument):
        filled(schema, invoice)
