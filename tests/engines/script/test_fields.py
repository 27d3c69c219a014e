"""Values of a YAML file that know where they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinlens.engines.base import EngineSetupError
from twinlens.engines.script.fields import YamlNode, root


def node(folder: Path, yaml: str) -> YamlNode:
    (folder / "a.yaml").write_text(f"one: 1\ntwo: {yaml}\n")
    return root(folder / "a.yaml").mapping(("one", "two"))["two"]


@pytest.mark.parametrize(
    ("yaml", "read", "value"),
    [
        ("yes it is", lambda field: field.text(), "yes it is"),
        (r'"\ud83d\ude00"', lambda field: field.text(), "\U0001f600"),
        ("true", lambda field: field.flag(), True),
        ("3", lambda field: field.integer(1), 3),
        ("0.5", lambda field: field.number(1), 0.5),
        ("STOP", lambda field: field.one_of(("STOP", "OTHER")), "STOP"),
        ("[1, 2]", lambda field: [item.integer(0) for item in field.items()], [1, 2]),
        ("{a: [1]}", lambda field: field.value(), {"a": [1]}),
    ],
)
def test_a_value_is_read_as_what_it_must_be(
    tmp_path: Path, yaml: str, read: Callable[[YamlNode], Any], value: Any
) -> None:
    assert read(node(tmp_path, yaml)) == value


@pytest.mark.parametrize(
    ("yaml", "read", "why"),
    [
        ("1", lambda field: field.text(), "must be a text; put it in quotes"),
        ('""', lambda field: field.name(), "must not be empty"),
        (r'"\ud83d"', lambda field: field.text(), "holds half a character"),
        ("1", lambda field: field.flag(), "must be true or false"),
        ("true", lambda field: field.integer(0), "must be a whole number from 0"),
        ("2", lambda field: field.number(1), "must be a number from 0 to 1"),
        (".inf", lambda field: field.number(1), "must be a number from 0 to 1"),
        ("STPO", lambda field: field.one_of(("STOP", "OTHER")), "did you mean 'STOP'?"),
        ("{}", lambda field: field.items(), "must be a list"),
        ("[]", lambda field: field.items(1), "must not be empty"),
        ("[]", lambda field: field.mapping(("a",)), "must have keys (a)"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_path(
    tmp_path: Path, yaml: str, read: Callable[[YamlNode], Any], why: str
) -> None:
    with pytest.raises(EngineSetupError) as caught:
        read(node(tmp_path, yaml))

    assert str(caught.value).startswith("a.yaml:2: two: ")
    assert why in str(caught.value)


def test_a_mistake_within_a_list_has_its_place(tmp_path: Path) -> None:
    second = node(tmp_path, "[a, b]").items()[1]

    assert str(second.wrong("no")) == "a.yaml:2: two[1]: no"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a: [", "this is not valid YAML"),
        (b"[" * 5000, "this is not valid YAML"),
    ],
)
def test_a_file_that_is_no_yaml_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)

    with pytest.raises(EngineSetupError, match=why):
        root(tmp_path / "a.yaml")
