from __future__ import annotations

from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.wire import proto
from twinlens.wire.json import JsonText
from twinlens.wire.proto import Field, Message, Reading

LEAF = Message("Leaf", Field("topK", proto.int32), Field("someText", proto.string))
ROOT = Message(
    "Root",
    Field("leaf", LEAF),
    Field("leaves", proto.repeated(LEAF)),
    Field("byName", proto.mapping(LEAF)),
    Field("one", proto.string, oneof="kind"),
    Field("other", proto.string, oneof="kind"),
)


def read(reader: proto.Reader, value: Any) -> Any:
    reading = Reading(JsonText(value), "Root")
    found = reader(reading, value, "" if isinstance(reader, Message) else "some_field")
    reading.check()
    return found


def refusal(reader: proto.Reader, value: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        read(reader, value)
    return caught.value.message


@pytest.mark.parametrize(
    ("reader", "value", "meaning"),
    [
        (proto.int32, 40, 40),
        (proto.int32, 40.0, 40),
        (proto.int32, "40", 40),
        (proto.int32, "4e1", 40),
        (proto.int64, str(2**63 - 1), 2**63 - 1),
        (proto.double, 1, 1.0),
        (proto.double, "1.5", 1.5),
        (proto.double, "-Infinity", float("-inf")),
        (proto.boolean, True, True),
        (proto.boolean, "false", False),
        (proto.binary, "-_8", b"\xfb\xff"),
        (proto.duration, "12.5s", 12.5),
        (proto.duration, "-0.5s", -0.5),
        (proto.duration, {"seconds": "3", "nanos": 500_000_000}, 3.5),
        (proto.struct, {"a_b": [1]}, {"a_b": [1]}),
        (proto.repeated(proto.string), "alone", ["alone"]),
        (proto.enumeration("E", "E_", ("UNSPECIFIED", "ONE")), "e_one", "ONE"),
        (proto.enumeration("E", "E_", ("UNSPECIFIED", "ONE")), 1, "ONE"),
    ],
)
def test_a12_scalars_are_read_in_every_form_of_proto_json(
    reader: proto.Reader, value: Any, meaning: Any
) -> None:
    found = read(reader, value)

    assert found == meaning
    assert type(found) is type(meaning)


def test_not_a_number_is_a_double() -> None:
    assert read(proto.double, "NaN") != read(proto.double, "NaN")


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        (proto.int32, "abc", "Invalid value at 'some_field' (TYPE_INT32), \"abc\""),
        (proto.int32, 1.5, "Invalid value at 'some_field' (TYPE_INT32), 1.5"),
        (proto.int32, 2**31, "Invalid value at 'some_field' (TYPE_INT32), 2147483648"),
        (proto.int32, True, "Invalid value at 'some_field' (TYPE_INT32), true"),
        (proto.int64, "9" * 5000, f"Invalid value at 'some_field' (TYPE_INT64), \"{'9' * 100}\""),
        (proto.double, 10**400, f"Invalid value at 'some_field' (TYPE_DOUBLE), 1{'0' * 99}..."),
        (proto.double, "1e999", "Invalid value at 'some_field' (TYPE_DOUBLE), \"1e999\""),
        (proto.string, 1, "Invalid value at 'some_field' (TYPE_STRING), 1"),
        (proto.boolean, 1, "Invalid value at 'some_field' (TYPE_BOOL), 1"),
        (proto.binary, [], "Invalid value at 'some_field' (TYPE_BYTES), []"),
        (
            proto.binary,
            "a*b",
            "Invalid value at 'some_field' (TYPE_BYTES), Base64 decoding failed for \"a*b\"",
        ),
        (
            proto.duration,
            "00:05",
            "Invalid value at 'some_field' (type.googleapis.com/google.protobuf.Duration), \"00:05\"",
        ),
        (
            proto.duration,
            5,
            "Invalid value at 'some_field' (type.googleapis.com/google.protobuf.Duration), 5",
        ),
        (proto.struct, [], "Invalid value at 'some_field' (type.googleapis.com/google.protobuf.Struct), []"),
        (proto.repeated(proto.string), ["a", None], "Invalid value at 'some_field[1]' (TYPE_STRING), null"),
        (
            proto.enumeration("E.F", "E_", ("UNSPECIFIED", "", "TWO")),
            1,
            "Invalid value at 'some_field' (type.googleapis.com/google.ai.generativelanguage.v1beta.E.F), 1",
        ),
        (proto.refused("Not here."), {}, "Not here."),
    ],
)
def test_a_wrong_value_is_named_with_its_field_and_type(
    reader: proto.Reader, value: Any, message: str
) -> None:
    assert refusal(reader, value) == message


def test_a7_names_are_read_in_both_spellings_at_every_depth() -> None:
    camel = {"leaf": {"topK": 1}, "byName": {"a_b": {"someText": "x"}}}
    snake = {"leaf": {"top_k": 1}, "by_name": {"a_b": {"some_text": "x"}}}

    expected = {"leaf": {"top_k": 1}, "by_name": {"a_b": {"some_text": "x"}}}
    assert read(ROOT, camel) == read(ROOT, snake) == expected


def test_a12_null_is_absent() -> None:
    assert read(ROOT, {"leaf": None, "one": None, "other": "x"}) == {"other": "x"}


def test_a9_all_that_is_wrong_is_told_together_with_paths() -> None:
    wrong = {
        "foo": 1,
        "leaf": {"bar": 2, "topK": "x"},
        "leaves": [{}, {"someText": 3}],
        "byName": {"k": {"baz": 1}},
    }

    with pytest.raises(InvalidArgument) as caught:
        read(ROOT, wrong)

    assert [(one.field, one.description) for one in caught.value.violations] == [
        ("", 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'),
        ("leaf", "Invalid JSON payload received. Unknown name \"bar\" at 'leaf': Cannot find field."),
        ("leaf.top_k", "Invalid value at 'leaf.top_k' (TYPE_INT32), \"x\""),
        ("leaves[1].some_text", "Invalid value at 'leaves[1].some_text' (TYPE_STRING), 3"),
        (
            "by_name[0].value",
            "Invalid JSON payload received. Unknown name \"baz\" at 'by_name[0].value': Cannot find field.",
        ),
    ]
    assert caught.value.message == "\n".join(one.description for one in caught.value.violations)


def test_a_flood_of_wrong_fields_is_told_in_part() -> None:
    with pytest.raises(InvalidArgument) as caught:
        read(ROOT, {f"unknown{index}": 1 for index in range(1000)})

    assert len(caught.value.violations) == proto.MAX_VIOLATIONS


def test_c7_members_of_a_oneof_exclude_each_other() -> None:
    message = "Invalid value (oneof), oneof field 'kind' is already set. Cannot set 'other'"

    assert refusal(ROOT, {"one": "a", "other": "b"}) == message


def test_a_field_in_both_spellings_is_refused() -> None:
    assert "set twice" in refusal(LEAF, {"topK": 1, "top_k": 2})
