"""Which answers are zipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from twinlens.api.responses import ZIPPED_BYTES

HELLO: dict[str, Any] = {"contents": [{"parts": [{"text": "Hello"}]}]}
INPUT: dict[str, Any] = {"model": "gemini-3-flash-preview", "input": "Hello"}


@pytest.mark.parametrize(("size", "coding"), [(2000, "gzip"), (ZIPPED_BYTES, "identity")])
@pytest.mark.parametrize(
    ("path", "asked"), [("models/gemini-3-flash-preview:generateContent", HELLO), ("interactions", INPUT)]
)
def test_answers_are_zipped_unless_that_takes_long(
    serve: Callable[..., TestClient], size: int, coding: str, path: str, asked: dict[str, Any]
) -> None:
    client = serve(f"default: {{text: {'x' * size}}}\n")

    answer = client.post(f"/v1beta/{path}", json=asked, headers={"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == coding
    assert "x" * size in answer.text
