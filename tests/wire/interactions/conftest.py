"""Reads requests as they come: bodies of bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES
from twinlens.wire.interactions.reading import Create, read_create

Reader = Callable[..., Any]


def body_of(input_: Any, fields: dict[str, Any]) -> bytes:
    return json.dumps({"model": "gemini-3-flash", "input": input_, **fields}).encode()


@pytest.fixture
def create() -> Reader:
    """Give what reads a request: its input, and its other fields."""

    def read(input_: Any = "Hi", **fields: Any) -> Create:
        return read_create(body_of(input_, fields), lambda _: LINES["gemini-3"])

    return read


@pytest.fixture
def refusal(create: Reader) -> Reader:
    """Give what reads a request that must be refused, and says how. The error names a field for each line."""

    def read(input_: Any = "Hi", **fields: Any) -> str:
        with pytest.raises(InvalidArgument) as caught:
            create(input_, **fields)
        message = caught.value.message
        assert all(line.endswith(".") for line in message.split("\n"))
        for violation in caught.value.violations:
            assert violation.field in message
        return message

    return read
