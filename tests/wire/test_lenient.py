"""JSON as people write it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlens.domain.errors import InvalidArgument
from twinlens.wire.lenient import MAX_REPAIRS, repair

MARK = b"@mark:"


def repaired(text: bytes) -> bytes | None:
    found = repair(text, MARK)
    return None if found is None else bytes(found.text)


@pytest.mark.parametrize(
    ("lenient", "strict"),
    [
        (b"{'a': 'b'}", b'{"a": "b"}'),
        (b"{a: 1, $b_2: 2}", b'{"a": 1, "$b_2": 2}'),
        (b"[1, 2,]", b"[1, 2]"),
        (b'{"a": 1 , }', b'{"a": 1  }'),
        (b"'it\\'s'", b'"it\'s"'),
        (b"'say \"hi\"'", b'"say \\"hi\\""'),
        (b'"it\\\'s"', b'"it\'s"'),
        (b"{true: true}", b'{"true": true}'),
    ],
)
def test_what_googles_parser_takes_becomes_strict(lenient: bytes, strict: bytes) -> None:
    assert repaired(lenient) == strict


@pytest.mark.parametrize("text", [b"'a", b'{"a": "b}', b"'a\\"])
def test_a_string_that_never_ends_cannot_be_repaired(text: bytes) -> None:
    assert repaired(text) is None


def test_marked_strings_are_counted_where_each_is_a_string_of_its_own() -> None:
    found = repair(b'{a: "@mark:1", \'b\': "@mark:2", "c": "no @mark:3"}', MARK)

    assert found is not None
    assert found.marks == 2


def test_more_than_anyone_writes_by_hand_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="send strict JSON"):
        repair(b"[" + b"''," * (MAX_REPAIRS + 1) + b"]", MARK)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_strict_json_stays_what_it_says(value: object) -> None:
    found = repaired(json.dumps(value).encode())

    assert found is not None
    assert json.loads(found) == value
