"""Where references lead."""

from __future__ import annotations

import pytest

from twinlens.domain import pointers

ROOT = {
    "$defs": {
        "node": {"items": {"type": "null"}},
        "": {"const": "no name"},
        "~": {"const": "tilde"},
        "a/b": {"const": "slash"},
        "~1": {"const": "tilde and one"},
        "50%": {"const": "percent"},
        "List<int>": {"const": "brackets"},
        "é": {"const": "letter"},
    },
    "anyOf": [{"type": "null"}],
}


@pytest.mark.parametrize(
    ("ref", "place"),
    [
        ("#", ROOT),
        ("#/$defs/node/items", {"type": "null"}),
        ("#/%24defs/node/items", {"type": "null"}),
        ("#/$defs/", {"const": "no name"}),
        ("#/$defs/~0", {"const": "tilde"}),
        ("#/$defs/a~1b", {"const": "slash"}),
        ("#/$defs/a%7E1b", {"const": "slash"}),
        ("#/$defs/~01", {"const": "tilde and one"}),
        ("#/$defs/50%25", {"const": "percent"}),
        ("#/$defs/50%", {"const": "percent"}),
        ("#/$defs/List%3Cint%3E", {"const": "brackets"}),
        ("#/$defs/%C3%A9", {"const": "letter"}),
    ],
)
def test_a_reference_leads_to_its_place(ref: str, place: object) -> None:
    assert pointers.at(ROOT, ref) == place


@pytest.mark.parametrize(
    "ref",
    ["", "$defs/node", "#node", "#/", "#/node", "#/$defs//node", "#/anyOf/0", "http://host/#/$defs/node"],
)
def test_any_other_leads_nowhere(ref: str) -> None:
    assert pointers.at(ROOT, ref) is None
